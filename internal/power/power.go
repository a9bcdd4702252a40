// Package power tells how the machine is powered, for what can wait until it is on
// mains again.
package power
