// Package sealtest tells tests where in a sealed file what stands, by
// docs/format.md and the specification of age, and not by the code of package seal.
package sealtest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/record"
	"github.com/packetcache/packetcache/internal/seal"
)

const (
	salt        = 16
	chunk       = 64 << 10 // of the plaintext
	sealedChunk = chunk + 16
	firstFrame  = 24
	frameHeader = 13
	segment     = 2 // the type of a frame
)

// A Layout is that of a whole file.
type Layout struct {
	// Start is where in the file the first chunk stands.
	Start  int
	Frames []Frame
}

// A Frame stands in the plaintext between two offsets. One of a segment has
// Packets.
type Frame struct{ From, To, Packets int }

// Of reads a file.
func Of(file []byte, key age.Identity) (*Layout, error) {
	header, _, err := seal.ReadHeader(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	opened, err := age.Decrypt(bytes.NewReader(file), key)
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(opened)
	if err != nil {
		return nil, err
	}
	segments, err := seal.NewReader(bytes.NewReader(file), key)
	if err != nil {
		return nil, err
	}
	defer segments.Close()
	l := &Layout{Start: len(header) + salt}
	var s record.Segment
	for at := firstFrame; at < len(plain); at = l.Frames[len(l.Frames)-1].To {
		if at+frameHeader > len(plain) {
			return nil, errors.New("it ends in a frame")
		}
		f := Frame{From: at, To: at + frameHeader + int(binary.LittleEndian.Uint32(plain[at+9:]))}
		if plain[at+8] == segment {
			if err := segments.Next(&s); err != nil {
				return nil, fmt.Errorf("the frame at %d of the plaintext: %w", at, err)
			}
			f.Packets = s.Records
		}
		l.Frames = append(l.Frames, f)
	}
	return l, nil
}

// Place is where in the file a byte of the plaintext stands.
func (l *Layout) Place(plain int) int { return l.Start + plain/chunk*sealedChunk + plain%chunk }

// Flipped is how many packets can be read when a byte of the file is wrong: those of
// all frames that its chunk has nothing of.
func (l *Layout) Flipped(at int) int {
	from, to := l.chunkOf(at)
	return l.without(from, to)
}

// Cut is how many can be when the file ends before a byte: those of frames in whole
// chunks before it.
func (l *Layout) Cut(at int) int {
	from, _ := l.chunkOf(at)
	return l.without(from, l.Frames[len(l.Frames)-1].To)
}

// chunkOf is the plaintext of the chunk that has a byte of the file; before the
// first, that of all before it and of the first.
func (l *Layout) chunkOf(at int) (from, to int) {
	if at < l.Start {
		return 0, chunk
	}
	n := (at - l.Start) / sealedChunk
	return n * chunk, (n + 1) * chunk
}

func (l *Layout) without(from, to int) (packets int) {
	for _, f := range l.Frames {
		if f.To <= from || f.From >= to {
			packets += f.Packets
		} else if f == l.Frames[0] {
			return 0 // without the head nothing makes sense
		}
	}
	return packets
}
