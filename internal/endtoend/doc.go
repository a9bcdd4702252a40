// Package endtoend holds the tests that run the two programs as users do.
package endtoend
