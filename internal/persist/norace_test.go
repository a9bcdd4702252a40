//go:build !race

package persist

const stride = 1
