// Package seal writes and reads the sealed cache: the encrypted file in which the
// cache outlives a restart. docs/format.md describes the file to the byte.
package seal

import (
	"fmt"
	"time"

	"github.com/packetcache/packetcache/internal/record"
)

// Version is the version of the format that is written and read. Whatever a
// reader of this version would not understand, or would take for something else,
// is a new one.
const Version = 1

// The plaintext begins with the magic and the mark: eight random bytes, which stand
// before each frame, so that one can be found behind what is damaged. Nobody but
// who opens the file knows them, so no packet can pretend to be a frame.
const (
	magic    = "PacketCache\n\x01\x00\x00\x00"
	markSize = 8
)

// Bounds of a file. What a cache makes is far below them; they are here so that a
// file of somebody else cannot ask for more memory than that.
const (
	// MaxSegments is how many segments there are at most.
	MaxSegments = 1 << 20
	maxHead     = 4 << 20
	maxEnd      = 4 << 10
	// maxData is the longest Data of a segment: compressed ones have tallies before
	// what a segment holds otherwise.
	maxData = record.MaxSize
)

// Frames follow, up to the one that says that it is the last: the mark, a byte
// that says of which kind it is, the length of what follows (4 bytes,
// little-endian), and that.
const (
	frameHead    = 1 // JSON
	frameSegment = 2
	frameEnd     = 3 // JSON
	frameHeader  = markSize + 1 + 4
)

// A Head says whose packets these are, and what else was known when they were
// saved.
type Head struct {
	// Program is what wrote the file, with its version; Host the machine.
	Program, Host string
	// Saved is when, by the clock of the machine.
	Saved time.Time
	// Final says that the service was stopping; otherwise it went on, and what
	// came between this checkpoint and its end is not in the file.
	Final bool
	State record.State
	// Coverage tells when and where the service was looking.
	Coverage []Coverage
}

// A Coverage is one line of that log.
type Coverage struct {
	Time time.Time `json:"time"`
	// Kind is one word: start, stop, up, down and others.
	Kind string `json:"kind"`
	// Interface is the name of the interface concerned, or empty for all.
	Interface string `json:"interface,omitempty"`
	// Text says it in words.
	Text string `json:"text"`
}

// An End says what a file holds, and what it does not.
type End struct {
	// Segments stand in the file, and their packets and captured bytes. The
	// Writer counts them.
	Segments int    `json:"segments"`
	Packets  uint64 `json:"packets"`
	Bytes    uint64 `json:"bytes"`
	// Cut says that the time was over before all segments were written: Left
	// packets are missing, the oldest of their logs.
	Cut  bool   `json:"cut"`
	Left uint64 `json:"left_packets"`
	// Evicted packets had to go while the file was being written.
	Evicted uint64 `json:"evicted_packets"`
}

// A Count is a number of segments, their packets, and the captured bytes of
// these.
type Count struct {
	Segments int
	Packets  uint64
	Bytes    uint64
}

func (c *Count) add(s *record.Segment) {
	c.Segments++
	c.Packets += uint64(s.Records)
	c.Bytes += s.Captured
}

// String says it in words.
func (c Count) String() string {
	return fmt.Sprintf("%d segments with %d packets of %d bytes", c.Segments, c.Packets, c.Bytes)
}
