package mem

import "unsafe"

// Carve takes the first n values of type T from memory and returns them with
// the rest. T must hold no pointers, which the garbage collector would not
// see, and memory must be aligned for it and large enough.
func Carve[T any](memory []byte, n int) (values []T, rest []byte) {
	var zero T
	size := int(unsafe.Sizeof(zero)) * n
	_ = memory[:size]
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(memory))), n), memory[size:]
}
