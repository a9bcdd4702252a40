package seal

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/record"
)

// A Writer writes a sealed file. It takes about 130 KiB. It is not safe for
// concurrent use.
type Writer struct {
	to    *outlet
	age   io.WriteCloser
	frame [frameHeader + segmentHeader]byte
	count Count
	err   error
}

// NewWriter begins a file on w, for the machine identity of that name and
// whoever else is to open it. To are all recipients, that of the machine among
// them. What cannot be written sticks: all that follows fails with the same
// error.
func NewWriter(w io.Writer, name string, to []age.Recipient, head *Head) (*Writer, error) {
	raw, err := encodeHead(head)
	if err != nil {
		return nil, fmt.Errorf("seal the cache: %w", err)
	}
	defer clear(raw)
	out := &Writer{to: &outlet{w: w}}
	out.age, err = age.Encrypt(out.to, append([]age.Recipient{nameplate{name}}, to...)...)
	if err != nil {
		return nil, fmt.Errorf("seal the cache: %w", err)
	}
	rand.Read(out.frame[:markSize])
	if _, out.err = io.WriteString(out.age, magic+string(out.frame[:markSize])); out.err == nil {
		out.put(frameHead, nil, raw)
	}
	if out.err != nil {
		out.Abort()
	}
	return out, out.err
}

// Segment writes one segment. One that breaks a bound of the format is an error
// by itself, and is passed over.
func (w *Writer) Segment(s *record.Segment) error {
	if w.err != nil {
		return w.err
	}
	header := (*[segmentHeader]byte)(w.frame[frameHeader:])
	if err := putSegment(header, s); err != nil {
		return err
	}
	if w.count.Segments == MaxSegments {
		return fmt.Errorf("a sealed cache holds at most %d segments", MaxSegments)
	}
	w.put(frameSegment, header[:], s.Data)
	w.count.add(s)
	return w.err
}

// Close ends the file: one that has not been closed is damaged. Of the end the
// Writer counts Segments, Packets and Bytes itself. It does not close what it
// writes to.
func (w *Writer) Close(end End) error {
	if w.err != nil {
		return w.err
	}
	end.Segments, end.Packets, end.Bytes = w.count.Segments, w.count.Packets, w.count.Bytes
	raw, err := json.Marshal(end)
	if err != nil {
		return err
	}
	if w.put(frameEnd, nil, raw); w.err == nil {
		w.err = w.age.Close()
	}
	err = w.err
	w.Abort()
	return err
}

// Abort gives up: nothing more is written. It need not be called after Close.
func (w *Writer) Abort() {
	if w.to.shut {
		return
	}
	// What age still holds is encrypted in place by this, and so overwritten.
	w.to.shut = true
	_ = w.age.Close()
	if w.err == nil {
		w.err = errors.New("the sealed file has been closed")
	}
}

// Written is what has been written so far. The last chunk waits for more.
func (w *Writer) Written() Count { return w.count }

// put writes a frame.
func (w *Writer) put(kind byte, header, data []byte) {
	w.frame[markSize] = kind
	binary.LittleEndian.PutUint32(w.frame[markSize+1:], uint32(len(header)+len(data)))
	if _, w.err = w.age.Write(w.frame[:frameHeader+len(header)]); w.err == nil {
		_, w.err = w.age.Write(data)
	}
}

// An outlet can be shut.
type outlet struct {
	w    io.Writer
	shut bool
}

func (o *outlet) Write(b []byte) (int, error) {
	if o.shut {
		return len(b), nil
	}
	return o.w.Write(b)
}
