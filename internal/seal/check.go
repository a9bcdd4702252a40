package seal

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// check says what of a segment makes no sense, as far as that can be seen without
// unpacking it.
func check(s *record.Segment, state *record.State) error {
	switch {
	case s.Log >= len(state.Logs):
		return fmt.Errorf("it is of log %d, and there are %d", s.Log, len(state.Logs))
	case s.Table >= len(state.Tables):
		return fmt.Errorf("it names interface table %d, and there are %d", s.Table, len(state.Tables))
	case s.MinTime > s.MaxTime:
		return errors.New("its oldest packet is newer than its newest")
	}
	return s.Check(knownIn(s, state))
}

// knownIn tells the interfaces of the table that a segment names.
func knownIn(s *record.Segment, state *record.State) func(packet.InterfaceID) bool {
	n := len(state.Tables[s.Table])
	return func(id packet.InterfaceID) bool { return int(id) < n }
}

// eachInterface calls do for the interfaces of a segment that makes sense, and
// reports whether they are told outside of its records.
func eachInterface(s *record.Segment, do func(packet.InterfaceID)) (told bool) {
	for _, share := range s.Shares {
		do(share.Interface)
	}
	for b := s.Data[:s.Tallies*record.TallySize]; len(b) > 0; b = b[record.TallySize:] {
		do(packet.InterfaceID(binary.LittleEndian.Uint16(b)))
	}
	return !s.Many || s.Tallies > 0
}
