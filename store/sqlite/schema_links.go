package sqlite

// schemaLinks is for links.
const schemaLinks = ``
