package cache

import "math/bits"

// NumClasses is how many octaves of a session are told apart: class 0 is its
// first 1 KiB, class k the bytes from 2^(k-1) KiB to 2^k KiB, and the last
// one everything from 4 GiB on.
const NumClasses = 24

// Of the logs those of the classes come first, then two of first packets:
// probation, of those that wait for an answer, and unanswered, of those that
// waited in vain; then those of the tiers, see rules.go.
const (
	probation  = NumClasses
	unanswered = probation + 1
	tierLogs   = unanswered + 1
)

// jumbo is the captured length above which a packet takes the class of its
// last byte, so that super-frames do not weigh the heads down.
const jumbo = 2048

// classAt returns the class of the byte at an offset in its session.
func classAt(offset uint64) int {
	return min(bits.Len64(offset>>10), NumClasses-1)
}

// classOf returns the class of a packet of length bytes that begins at offset.
func classOf(offset uint64, length int) int {
	if length > jumbo {
		offset += uint64(length) - 1
	}
	return classAt(offset)
}

// ClassStart is the offset in its session of the first byte of a class.
func ClassStart(class int) uint64 {
	if class == 0 {
		return 0
	}
	return 512 << class
}
