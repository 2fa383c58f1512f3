// Package calendar reads calendar files: opening hours by the day of the week, holidays
// with their names, and days that differ. Whether it is open at a time is decided by
// package flow. It keeps nothing and starts no goroutine.
package calendar
