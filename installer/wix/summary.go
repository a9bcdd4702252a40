package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/richardlehane/mscfb"
)

// The properties that hold times in the summary information of a package
// ([MS-OLEPS] 2.25.1), which wixl sets to the time at which it runs.
const (
	created   = 0x0c
	lastSaved = 0x0d

	typeFiletime = 0x40 // [MS-OLEPS] 2.2, VT_FILETIME
)

// setTimes sets the times in the summary information of a package.
func setTimes(path string, to time.Time) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	doc, err := mscfb.New(f)
	if err != nil {
		return err
	}
	for {
		entry, err := doc.Next()
		if err != nil {
			return fmt.Errorf("%s has no summary information: %w", path, err)
		}
		if entry.Initial == 5 && entry.Name == "SummaryInformation" {
			return rewriteTimes(entry, to)
		}
	}
}

// A stream is one within a compound file.
type stream interface {
	io.ReaderAt
	io.WriterAt
	io.Reader
}

// rewriteTimes changes the two times in a stream with one property set
// ([MS-OLEPS] 2.21).
func rewriteTimes(s stream, to time.Time) error {
	b, err := io.ReadAll(s)
	if err != nil {
		return err
	}
	const header = 48 // ends with the offset of the one set
	at := func(offset int) (int, error) {
		if offset < 0 || offset+4 > len(b) {
			return 0, fmt.Errorf("the summary information ends before byte %d", offset)
		}
		return int(binary.LittleEndian.Uint32(b[offset:])), nil
	}
	set, err := at(header - 4)
	if err != nil {
		return err
	}
	count, err := at(set + 4)
	if err != nil {
		return err
	}
	var changed int
	for i := range count {
		id, err := at(set + 8 + 8*i)
		if err != nil {
			return err
		}
		if id != created && id != lastSaved {
			continue
		}
		offset, err := at(set + 12 + 8*i)
		if err != nil {
			return err
		}
		kind, err := at(set + offset)
		if err != nil {
			return err
		}
		if kind != typeFiletime {
			return fmt.Errorf("property %d of the summary information is no time", id)
		}
		if _, err := s.WriteAt(binary.LittleEndian.AppendUint64(nil, filetime(to)), int64(set+offset+4)); err != nil {
			return err
		}
		changed++
	}
	if changed != 2 {
		return errors.New("the summary information lacks its times")
	}
	return nil
}

// filetime counts steps of 100 ns since 1601, as Windows does.
func filetime(t time.Time) uint64 {
	const to1970 = 11644473600 // seconds
	return uint64(t.Unix()+to1970) * 1e7
}
