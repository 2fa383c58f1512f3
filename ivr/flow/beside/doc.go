// Package beside reads the files that lie beside the flows: forms, the operations that
// links open, classifiers, knowledge, queues and boxes, and the recordings and images
// that words name. Each reader takes a parsed file and reports its mistakes there;
// whether the names in it exist is for package read, which knows all files.
//
// It runs nothing, keeps nothing and starts no goroutine.
package beside
