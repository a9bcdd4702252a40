package seal

import (
	"errors"
	"io"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/record"
)

// Verify reads a file, unpacks each segment, and goes through its records. Errors
// and look are those of Open.
func Verify(src io.ReaderAt, look func(done int64) error, ids ...age.Identity) (*Report, error) {
	watched := &watchedFile{src: src, look: look}
	in, err := NewReader(watched, ids...)
	if err != nil {
		return nil, errors.Join(watched.err, err)
	}
	defer in.Close()
	u, err := newUnpacker()
	if err != nil {
		return nil, err
	}
	defer u.close()
	r := &Report{}
	r.begin(in)
	var s record.Segment
	var raw []byte
	defer func() { clear(raw[:cap(raw)]) }()
	for {
		err := in.Next(&s)
		if watched.err != nil {
			return nil, watched.err
		}
		if err != nil {
			_ = errors.As(err, &r.Damage) // else it is the end
			r.End, r.Ended = in.End()
			return r, nil
		}
		if err = check(&s, &in.head.State); err == nil {
			var unpacked []byte
			if unpacked, err = u.records(&s, raw); err == nil {
				raw = unpacked
				err = s.CheckRecords(raw, knownIn(&s, &in.head.State))
			}
		}
		r.add(&s, err)
	}
}
