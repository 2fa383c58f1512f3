// Package read turns a folder of flow files into a flow.Library, or into diagnostics
// that say where the designer's mistake is, why it is one and what to write instead. It
// owns which files make a library and in what order they are read, drafts and releases
// of them, what a server refuses to serve, and the watching of the folder; what YAML is
// lies in package source, the files beside the flows in beside, one flow in program, the
// rules over whole flows in check.
//
// Reading is pure but for the file system it is given. One goroutine may run here, that
// of Folder.Watch, which belongs to its caller. The package runs no flow.
package read
