// Package replay feeds capture files to a Sink as if their packets had just
// been captured. Their timestamps stay what they are.
package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
)

// batchLen is how many packets the Sink gets at most in one call.
const batchLen = 256

// A Source replays one pcap or pcapng file, as fast as the Sink takes it.
type Source struct {
	path   string
	file   *os.File
	reader *pcapio.Reader
	size   int64

	offset   atomic.Int64 // read and delivered
	received atomic.Uint64

	// Of Run alone:
	announced []announcement  // by the Reader's numbers
	names     map[string]bool // given to the Sink
}

var _ capture.Source = (*Source)(nil)

// An announcement is what the Sink answered about an interface, if it was asked.
type announcement struct {
	id   packet.InterfaceID
	made bool
}

// Open opens the file at path and reads its header, so that a file that is
// missing or not a capture file is known before anything starts. A pipe will
// do too: Open then waits for its first bytes. Until Run the Source holds
// little memory; one that is not run must be closed.
func Open(path string) (*Source, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	s, err := open(path, file)
	if err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
}

func open(path string, file *os.File) (*Source, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("replay %s: it is a directory; name the capture files in it", path)
	}
	reader, err := pcapio.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("replay %s: %w", path, err)
	}
	s := &Source{path: path, file: file, reader: reader, names: make(map[string]bool)}
	if info.Mode().IsRegular() {
		s.size = info.Size()
	}
	return s, nil
}

// Run delivers the packets of the file to sink and closes it. The interface of
// a classic pcap is announced at once, one of a pcapng when its first packet
// comes, under the name that the file gives it or else the file's own.
//
// Where the file stops making sense, Run has delivered what comes before and
// returns an error that names the file, the byte and the number of packets
// delivered; it wraps a *pcapio.FormatError.
func (s *Source) Run(ctx context.Context, sink capture.Sink) error {
	defer s.file.Close()
	// Closing is what ends a read from a pipe that nobody writes to.
	defer context.AfterFunc(ctx, func() { s.file.Close() })()
	if ctx.Err() != nil {
		return nil
	}
	for number := range s.reader.Interfaces() {
		if err := s.announce(number, sink); err != nil {
			return s.stopped(err)
		}
	}
	batch := make([]packet.Packet, batchLen)
	for ctx.Err() == nil {
		n, err := s.reader.Batch(batch)
		switch {
		case errors.Is(err, io.EOF):
			s.offset.Store(s.reader.Offset())
			return nil
		case err != nil && ctx.Err() != nil:
			return nil
		case err != nil:
			return s.stopped(err)
		}
		if err := s.deliver(batch[:n], sink); err != nil {
			return s.stopped(err)
		}
	}
	return nil
}

// stopped says in err how far the replay came.
func (s *Source) stopped(err error) error {
	return fmt.Errorf("replay %s: %w; packets replayed before that: %d", s.path, err, s.received.Load())
}

// Close releases what Open took, for a Source that will not be run.
func (s *Source) Close() error { return s.file.Close() }

// Counters returns the packets delivered so far; none are ever dropped.
func (s *Source) Counters() capture.Counters {
	return capture.Counters{Received: s.received.Load()}
}

// Progress returns how many bytes of the file have been delivered, of how
// many; size is 0 where that is not known, as of a pipe. It may be called at
// any time from any goroutine.
func (s *Source) Progress() (read, size int64) {
	return s.offset.Load(), s.size
}

// Path returns the path that the Source was opened with.
func (s *Source) Path() string { return s.path }

// deliver hands a batch to the sink under the sink's interface numbers.
func (s *Source) deliver(batch []packet.Packet, sink capture.Sink) error {
	for i := range batch {
		number := int(batch[i].Interface)
		if number >= len(s.announced) || !s.announced[number].made {
			if err := s.announce(number, sink); err != nil {
				s.pass(batch[:i], sink) // they have come
				return err
			}
		}
		batch[i].Interface = s.announced[number].id
	}
	s.pass(batch, sink)
	s.offset.Store(s.reader.Offset())
	return nil
}

func (s *Source) pass(batch []packet.Packet, sink capture.Sink) {
	if len(batch) == 0 {
		return
	}
	sink.Packets(batch)
	s.received.Add(uint64(len(batch)))
}

// announce asks the sink for a number of the file's interface.
func (s *Source) announce(number int, sink capture.Sink) error {
	for number >= len(s.announced) {
		s.announced = append(s.announced, announcement{})
	}
	iface := s.reader.Interfaces()[number]
	iface.Name = s.name(iface.Name, number)
	id, err := sink.Interface(iface)
	if err != nil {
		return fmt.Errorf("interface %q: %w", iface.Name, err)
	}
	s.announced[number] = announcement{id, true}
	return nil
}

// name makes an interface's name unique within the file: "eth0", and "eth0#3"
// for the file's third interface if an earlier one is called eth0 too.
func (s *Source) name(name string, number int) string {
	if name == "" {
		name = filepath.Base(s.path)
	}
	unique := name
	if s.names[unique] {
		unique = name + "#" + strconv.Itoa(number+1)
	}
	for i := 2; s.names[unique]; i++ { // a file can have even that name
		unique = name + "#" + strconv.Itoa(number+1) + "." + strconv.Itoa(i)
	}
	s.names[unique] = true
	return unique
}
