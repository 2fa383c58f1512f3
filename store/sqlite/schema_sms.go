package sqlite

// schemaSMS is for texts.
const schemaSMS = ``
