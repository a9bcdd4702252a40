package seal

import (
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/packetcache/packetcache/internal/record"
)

// An unpacker gets at the records of segments.
type unpacker struct{ decoder *zstd.Decoder }

func newUnpacker() (*unpacker, error) {
	// Whatever the frame says, it cannot take more memory than a segment.
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(record.MaxSize), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return nil, err
	}
	return &unpacker{decoder}, nil
}

// records returns the records of a segment, in the memory of dst if it is large
// enough.
func (u *unpacker) records(s *record.Segment, dst []byte) ([]byte, error) {
	if cap(dst) < s.Size {
		dst = make([]byte, 0, s.Size)
	}
	dst = dst[:0:s.Size]
	switch s.Codec {
	case record.Raw:
		dst = append(dst, s.Data[:min(len(s.Data), s.Size)]...)
	case record.Zstd:
		var err error
		if dst, err = u.decoder.DecodeAll(s.Data[s.Tallies*record.TallySize:], dst); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("codec %d is not known", s.Codec)
	}
	if len(dst) != s.Size {
		return nil, fmt.Errorf("%d bytes of records instead of %d", len(dst), s.Size)
	}
	return dst, nil
}

func (u *unpacker) close() { u.decoder.Close() }
