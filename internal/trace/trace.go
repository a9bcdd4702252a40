// Package trace reads recorded traffic, tells its sessions apart, and says how
// much of them is left in whatever has kept some of the packets. Measurements
// and tests of the cache are made with it; it knows nothing of the cache.
package trace

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
)

// A Trace is traffic that can be gone through any number of times, always the
// same.
type Trace interface {
	Open() (Stream, error)
}

// A Stream goes through a trace once.
type Stream interface {
	// Batch reads packets as pcapio.Reader.Batch does: at least one, borrowed
	// until the next call, or none and an error, at the end io.EOF.
	Batch([]packet.Packet) (int, error)
	// Interfaces are what the packets' numbers stand for, as far as it is known.
	Interfaces() []packet.Interface
	io.Closer
}

// Each goes through a trace and calls do with its packets in batches, which are
// borrowed, and with the interfaces known by then. It ends with the first error.
func Each(t Trace, do func([]packet.Interface, []packet.Packet) error) error {
	s, err := t.Open()
	if err != nil {
		return err
	}
	defer s.Close()
	batch := make([]packet.Packet, 256)
	for passed := 0; ; {
		n, err := s.Batch(batch)
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("after %d packets: %w", passed, err)
		}
		passed += n
		if err := do(s.Interfaces(), batch[:n]); err != nil {
			return err
		}
	}
}

// A File is a trace in pcap or pcapng, as it is or compressed (.zst).
type File string

// Open opens the file and reads its header.
func (f File) Open() (Stream, error) {
	file, err := os.Open(string(f))
	if err != nil {
		return nil, err
	}
	s := &fileStream{file: file}
	if strings.HasSuffix(string(f), ".zst") {
		if s.unpacked, err = zstd.NewReader(file, zstd.WithDecoderConcurrency(1)); err == nil {
			s.Reader, err = pcapio.NewReader(s.unpacked)
		}
	} else {
		s.Reader, err = pcapio.NewReader(file)
	}
	if err != nil {
		_ = s.Close() // it was only read
		return nil, &fs.PathError{Op: "read", Path: string(f), Err: err}
	}
	return s, nil
}

type fileStream struct {
	*pcapio.Reader
	file     *os.File
	unpacked *zstd.Decoder
}

func (s *fileStream) Close() error {
	if s.unpacked != nil {
		s.unpacked.Close()
	}
	return s.file.Close()
}

// Corpus is a file of the captures that are not part of the project: those of
// the directory that PACKETCACHE_CORPUS names, else of ../shared/corpus beside
// the checkout, whose top is the directory root. The error says what to set.
func Corpus(root, name string) (File, error) {
	dir := os.Getenv("PACKETCACHE_CORPUS")
	if dir == "" {
		dir = filepath.Join(root, "..", "shared", "corpus")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		return "", errors.Join(errors.New("no corpus (set PACKETCACHE_CORPUS)"), err)
	}
	return File(path), nil
}
