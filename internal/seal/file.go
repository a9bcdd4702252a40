package seal

import (
	"errors"
	"io"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
	"github.com/packetcache/packetcache/internal/record"
)

// A File is a sealed file whose packets can be read in the order of time. It
// remembers where each segment stands: 32 bytes for some ten thousand of the
// file. It is not safe for concurrent use.
type File struct {
	// Of the Report, the segments have been read and not unpacked.
	Report

	holds      [][]bool // by table: whether there are packets of the interface
	interfaces []pcapio.Described
	numbers    [][]packet.InterfaceID // by table
	segments   []place
	chunks     chunks
}

// noInterface is the number of one that no packet is of.
const noInterface = 1<<16 - 1

// A place is where a segment stands.
type place struct {
	minTime, maxTime int64
	at               int64 // the plaintext offset of what is in its frame
	length           int32
	records          uint16
}

// Open reads all of a file once, to see what is in it. Errors are those of
// NewReader: if the head can be read, so can be all that is not damaged. Look, if
// not nil, is called now and then with the bytes of the file that have been read;
// what it returns ends the reading.
func Open(src io.ReaderAt, look func(done int64) error, ids ...age.Identity) (*File, error) {
	watched := &watchedFile{src: src, look: look}
	r, err := NewReader(watched, ids...)
	if err != nil {
		return nil, errors.Join(watched.err, err)
	}
	defer r.Close()
	f := &File{}
	f.begin(r)
	for _, table := range f.Head.State.Tables {
		f.holds = append(f.holds, make([]bool, len(table)))
	}
	var s record.Segment
	for err == nil {
		if err = r.Next(&s); err == nil {
			f.see(&s, r.at+frameHeader)
		}
	}
	if watched.err != nil {
		return nil, watched.err
	}
	_ = errors.As(err, &f.Damage) // else it is the end
	f.End, f.Ended = r.End()
	f.unite()
	f.chunks = chunks{payload: r.in.payload}
	f.chunks.src = src
	return f, nil
}

// see takes note of a segment.
func (f *File) see(s *record.Segment, at int64) {
	err := check(s, &f.Head.State)
	f.add(s, err)
	if err != nil {
		return
	}
	f.segments = append(f.segments, place{s.MinTime, s.MaxTime, at, int32(segmentHeader + len(s.Data)), uint16(s.Records)})
	holds := f.holds[s.Table]
	if !eachInterface(s, func(id packet.InterfaceID) { holds[id] = true }) {
		for i := range holds { // the records would have to be read
			holds[i] = true
		}
	}
}

// unite makes one table of all. As in the cache, an interface is the same if it
// has the same name and link type. One without a name stands in a table for
// those that had no packets when it was saved.
func (f *File) unite() {
	type key struct {
		name     string
		linkType packet.LinkType
	}
	known := map[key]packet.InterfaceID{}
	for n, table := range f.Head.State.Tables {
		numbers := make([]packet.InterfaceID, len(table))
		for i := range table {
			k := key{table[i].Name, table[i].LinkType}
			id, ok := known[k]
			switch {
			case !ok && k.name == "" && !f.holds[n][i]:
				id = noInterface
			case !ok:
				id = packet.InterfaceID(len(f.interfaces))
				known[k] = id
				f.interfaces = append(f.interfaces, pcapio.Described{Interface: table[i]})
			}
			numbers[i] = id
			if f.holds[n][i] {
				f.interfaces[id].Holds = true
			}
		}
		f.numbers = append(f.numbers, numbers)
	}
}

// Interfaces are those that the packets name. Of one that holds none, there may have
// been some when the file was begun.
func (f *File) Interfaces() []pcapio.Described { return f.interfaces }

// Close overwrites what was read in memory.
func (f *File) Close() { f.chunks.wipe() }

// A watchedFile tells how much has been read of it.
type watchedFile struct {
	src  io.ReaderAt
	look func(done int64) error
	err  error // that ended it
}

func (w *watchedFile) ReadAt(b []byte, at int64) (int, error) {
	if w.look != nil && w.err == nil {
		w.err = w.look(at)
	}
	if w.err != nil {
		return 0, io.ErrUnexpectedEOF
	}
	return w.src.ReadAt(b, at)
}
