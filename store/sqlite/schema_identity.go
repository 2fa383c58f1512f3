package sqlite

// schemaIdentity is for checks of who customers are.
const schemaIdentity = ``
