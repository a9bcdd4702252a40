package record

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/packetcache/packetcache/internal/packet"
)

// Check returns what makes no sense of a segment that comes from elsewhere, be it
// that it exceeds a bound or does not add up. Known tells the numbers that its
// table has. What is compressed it does not read: CheckRecords does that.
func (s *Segment) Check(known func(packet.InterfaceID) bool) error {
	switch {
	case s.Records < 1 || s.Records > MaxRecords:
		return fmt.Errorf("%d records: from 1 to %d are possible", s.Records, MaxRecords)
	case s.Size < s.Records*minHeader || s.Size > MaxSize || s.Captured > uint64(s.Size):
		return fmt.Errorf("%d records with %d bytes captured take no %d bytes", s.Records, s.Captured, s.Size)
	case s.Newest < 0:
		return fmt.Errorf("an age of %v", s.Newest)
	case s.Codec == Raw && (len(s.Data) != s.Size || s.Tallies != 0):
		return fmt.Errorf("%d bytes and %d tallies, instead of %d bytes of records", len(s.Data), s.Tallies, s.Size)
	case s.Codec == Zstd && (s.Size > MaxPacked || len(s.Data) > MaxPacked || s.Tallies < 0 || s.Tallies > len(s.Data)/TallySize):
		return fmt.Errorf("%d bytes, with %d tallies, for %d bytes of records", len(s.Data), s.Tallies, s.Size)
	case s.Codec > Zstd:
		return fmt.Errorf("codec %d is not known", s.Codec)
	}
	if err := s.checkShares(known); err != nil || s.Codec != Raw {
		return err
	}
	return s.CheckRecords(s.Data, known)
}

// checkShares sees that the interfaces together have what the segment has, unless
// only its records tell.
func (s *Segment) checkShares(known func(packet.InterfaceID) bool) error {
	if len(s.Shares) > MaxShares || s.Many == (len(s.Shares) > 0) || (s.Tallies > 0) != (s.Many && s.Codec == Zstd) {
		return fmt.Errorf("%d shares and %d tallies, of many interfaces: %v", len(s.Shares), s.Tallies, s.Many)
	}
	packets, bytes, unknown := 0, uint64(0), false
	add := func(share Share) {
		packets += int(share.Packets)
		bytes += uint64(share.Bytes)
		unknown = unknown || !known(share.Interface)
	}
	for _, share := range s.Shares {
		add(share)
	}
	for at := range s.Tallies {
		tally := s.Data[at*TallySize:]
		add(Share{
			Interface: packet.InterfaceID(binary.LittleEndian.Uint16(tally)),
			Packets:   binary.LittleEndian.Uint16(tally[2:]),
			Bytes:     binary.LittleEndian.Uint32(tally[4:]),
		})
	}
	switch {
	case unknown:
		return errUnknown
	case (packets != s.Records || bytes != s.Captured) && !(s.Many && s.Codec == Raw):
		return fmt.Errorf("%d records with %d bytes captured, of which the interfaces have %d with %d", s.Records, s.Captured, packets, bytes)
	}
	return nil
}

var errUnknown = errors.New("packets of an interface that is not in its table")

// CheckRecords returns in what the records, which are raw when they are not
// compressed, are not as the segment says.
func (s *Segment) CheckRecords(raw []byte, known func(packet.InterfaceID) bool) error {
	var err error
	var before Header
	records, captured := 0, uint64(0)
	whole := Each(raw, false, func(_ int, h *Header, data []byte) bool {
		switch {
		case !known(h.Interface):
			err = errUnknown
		case h.Time < s.MinTime || h.Time > s.MaxTime:
			err = errors.New("a packet of another time than it says")
		case !s.Disordered && records > 0 && (h.Time < before.Time || h.Time == before.Time && h.Place() < before.Place()):
			err = errors.New("packets that are not in their order")
		}
		before = *h
		records++
		captured += uint64(len(data))
		return err == nil
	})
	switch {
	case err != nil:
		return err
	case !whole:
		return fmt.Errorf("no record begins behind %d of them", records)
	case len(raw) != s.Size || records != s.Records || captured != s.Captured:
		return fmt.Errorf("%d records with %d bytes captured in %d bytes, instead of %d with %d in %d",
			records, captured, len(raw), s.Records, s.Captured, s.Size)
	}
	return nil
}
