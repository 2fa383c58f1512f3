package sqlite

// schemaSessions is for stored sessions and bindings.
const schemaSessions = ``
