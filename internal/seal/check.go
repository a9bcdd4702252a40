package seal

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// check says what of a segment makes no sense, before its records are looked at.
func check(s *record.Segment, state *record.State) error {
	switch {
	case s.Log >= len(state.Logs):
		return fmt.Errorf("it is of log %d, and there are %d", s.Log, len(state.Logs))
	case s.Table >= len(state.Tables):
		return fmt.Errorf("it names interface table %d, and there are %d", s.Table, len(state.Tables))
	case s.Records < 1 || s.Records > record.MaxRecords:
		return fmt.Errorf("it has %d records", s.Records)
	case s.Size < 1 || s.Size > record.MaxSize:
		return fmt.Errorf("its records take %d bytes", s.Size)
	case s.Codec > record.Zstd:
		return fmt.Errorf("it is compressed by method %d, which is not known", s.Codec)
	case s.Codec == record.Raw && (len(s.Data) != s.Size || s.Tallies != 0):
		return fmt.Errorf("%d bytes of records are said to be %d", len(s.Data), s.Size)
	case s.Codec == record.Zstd && len(s.Data) <= s.Tallies*record.TallySize:
		return fmt.Errorf("%d bytes hold %d tallies and no frame", len(s.Data), s.Tallies)
	case s.MinTime > s.MaxTime:
		return errors.New("its oldest packet is newer than its newest")
	case s.Newest < 0:
		return errors.New("the age of its newest packet is negative")
	}
	return eachShare(s, func(share record.Share) error {
		if int(share.Interface) >= len(state.Tables[s.Table]) {
			return fmt.Errorf("it has packets of interface %d, and there are %d", share.Interface, len(state.Tables[s.Table]))
		}
		return nil
	})
}

// eachShare calls do for the interfaces of a segment, as far as these are told
// outside of its records.
func eachShare(s *record.Segment, do func(record.Share) error) error {
	if !s.Many {
		for _, share := range s.Shares {
			if err := do(share); err != nil {
				return err
			}
		}
		return nil
	}
	for b := s.Data[:s.Tallies*record.TallySize]; len(b) > 0; b = b[record.TallySize:] {
		if err := do(getShare(b)); err != nil {
			return err
		}
	}
	return nil
}

func getShare(b []byte) record.Share {
	return record.Share{
		Interface: packet.InterfaceID(binary.LittleEndian.Uint16(b)),
		Packets:   binary.LittleEndian.Uint16(b[2:]),
		Bytes:     binary.LittleEndian.Uint32(b[4:]),
	}
}

// checkRecords says what of a segment that check finds good is not as its records
// are.
func checkRecords(s *record.Segment, raw []byte) error {
	var have record.Segment
	shares := map[packet.InterfaceID]record.Share{}
	var before record.Header
	whole := record.Each(raw, false, func(_ int, h *record.Header, _ []byte) bool {
		if have.Records == 0 {
			have.MinTime, have.MaxTime = h.Time, h.Time
		} else if h.Time < have.MaxTime || h.Time == before.Time && h.Tie < before.Tie {
			have.Disordered = true
		}
		have.MinTime, have.MaxTime = min(have.MinTime, h.Time), max(have.MaxTime, h.Time)
		have.Records++
		have.Captured += uint64(h.Length)
		share := shares[h.Interface]
		share.Packets++
		share.Bytes += uint32(h.Length)
		shares[h.Interface] = share
		before = *h
		return true
	})
	switch {
	case !whole:
		return fmt.Errorf("its records make no sense behind %d of %d", have.Records, s.Records)
	case have.Records != s.Records || have.Captured != s.Captured:
		return fmt.Errorf("it has %d packets of %d bytes, and says %d of %d", have.Records, have.Captured, s.Records, s.Captured)
	case have.MinTime != s.MinTime || have.MaxTime != s.MaxTime:
		return errors.New("its packets are of other times than it says")
	case have.Disordered && !s.Disordered:
		return errors.New("its packets are not in the order of time, and it says that they are")
	}
	said := 0
	err := eachShare(s, func(share record.Share) error {
		said++
		if had := shares[share.Interface]; had.Packets != share.Packets || had.Bytes != share.Bytes {
			return fmt.Errorf("of interface %d it has %d packets of %d bytes, and says %d of %d", share.Interface, had.Packets, had.Bytes, share.Packets, share.Bytes)
		}
		return nil
	})
	if err == nil && said != len(shares) && (!s.Many || s.Tallies > 0) {
		err = fmt.Errorf("it has packets of %d interfaces, and says %d", len(shares), said)
	}
	return err
}
