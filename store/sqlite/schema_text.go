package sqlite

// What the text side keeps, one step for each package that owns tables of it.
const (
	schema4 = schemaSessions
	schema5 = schemaChat
	schema6 = schemaSMS
	schema7 = schemaLinks
	schema8 = schemaIdentity
)
