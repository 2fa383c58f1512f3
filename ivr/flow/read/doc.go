// Package read turns a folder of flow files into a flow.Library, or into diagnostics
// that say where the designer's mistake is, why it is one and what to write instead. It
// owns the verbs and names of the flow language as they are written, and the watching
// of the folder; what YAML is lies in package source, the rules over whole flows in
// package check.
//
// Files are read through the syntax tree, never into Go structs, so that every error
// has a place. Reading is pure but for the file system it is given. One goroutine may
// run here, that of Folder.Watch, which belongs to its caller. The package runs no flow
// and evaluates no expression on a customer's data.
package read
