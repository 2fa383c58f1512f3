// Package read turns a folder of flow files into a flow.Library, or into
// diagnostics that say where the designer's mistake is, why it is one and what to
// write instead. It owns the YAML of the flow language: its syntax, its names, the
// rules that hold over whole flows, and the watching of the folder.
//
// Files are read through the syntax tree, never into Go structs, so that every
// error has a place. Reading is pure but for the file system it is given. One
// goroutine may run here, that of Folder.Watch, which belongs to its caller. The
// package runs no flow and evaluates no expression on a customer's data.
package read
