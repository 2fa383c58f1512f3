// Package importcheck holds the shape of the house: which package may import which
// of ours, and which module versions are too old to be used. It is tests only, and
// they fail on any edge that the table does not have; docs/architecture.md shows the
// same table to people, and a test holds the two equal.
package importcheck
