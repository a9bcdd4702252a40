//go:build amd64 || arm64

package mem

import "unsafe"

//go:noescape
func prefetch(addresses *unsafe.Pointer, n int)
