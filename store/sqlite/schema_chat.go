package sqlite

// schemaChat is for conversations.
const schemaChat = ``
