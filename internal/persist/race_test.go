//go:build race

package persist

// stride thins out tests of each byte or operation, which take ten times as long
// with the race detector, and look for something else.
const stride = 13
