package record

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// TestCheck: a segment as a cache makes it is good; one that is changed in any way
// is not.
func TestCheck(t *testing.T) {
	list, ties := somePackets()
	list, ties = list[:6], ties[:6]
	raw, _ := encode(list, ties, false)
	good := Segment{Records: len(list), Size: len(raw), Newest: time.Second, MinTime: math.MaxInt64, MaxTime: math.MinInt64, Data: raw}
	var shares [2]Share
	for i := range list {
		n := len(list[i].Data)
		good.Captured += uint64(n)
		good.MinTime, good.MaxTime = min(good.MinTime, list[i].Time), max(good.MaxTime, list[i].Time)
		shares[i/3].Interface = list[i].Interface
		shares[i/3].Packets++
		shares[i/3].Bytes += uint32(n)
	}
	good.Shares = shares[:]
	packed := good // as far as it is looked at, any bytes are a frame
	packed.Codec, packed.Data = Zstd, []byte("frame")
	many := packed
	many.Many, many.Shares, many.Tallies = true, nil, 2
	many.Data = nil
	for _, s := range shares {
		many.Data = append(many.Data, byte(s.Interface), 0, byte(s.Packets), 0, byte(s.Bytes), byte(s.Bytes>>8), byte(s.Bytes>>16), 0)
	}
	many.Data = append(many.Data, "frame"...)
	manyRaw := good
	manyRaw.Many, manyRaw.Shares = true, nil

	known := func(id packet.InterfaceID) bool { return id < 2 }
	for name, s := range map[string]*Segment{"raw": &good, "packed": &packed, "of many": &many, "raw of many": &manyRaw} {
		if err := s.Check(known); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, test := range map[string]struct {
		of     *Segment
		change func(*Segment)
	}{
		"no records":             {&packed, func(s *Segment) { s.Records = 0 }},
		"too many records":       {&packed, func(s *Segment) { s.Records = MaxRecords + 1 }},
		"too small":              {&packed, func(s *Segment) { s.Size = 4*s.Records - 1 }},
		"too large":              {&packed, func(s *Segment) { s.Size = MaxPacked + 1 }},
		"raw and too large":      {&good, func(s *Segment) { s.Size = MaxSize + 1; s.Data = make([]byte, MaxSize+1) }},
		"more than it has":       {&packed, func(s *Segment) { s.Captured = uint64(s.Size) + 1 }},
		"of tomorrow":            {&packed, func(s *Segment) { s.Newest = -1 }},
		"an unknown codec":       {&packed, func(s *Segment) { s.Codec = Zstd + 1 }},
		"raw with tallies":       {&good, func(s *Segment) { s.Tallies = 1 }},
		"raw and short":          {&good, func(s *Segment) { s.Data = s.Data[1:] }},
		"a frame too long":       {&packed, func(s *Segment) { s.Data = make([]byte, MaxPacked+1) }},
		"tallies without end":    {&many, func(s *Segment) { s.Tallies = len(s.Data)/TallySize + 1 }},
		"less than no tallies":   {&many, func(s *Segment) { s.Tallies = -1 }},
		"many with shares":       {&many, func(s *Segment) { s.Shares = shares[:] }},
		"few without":            {&packed, func(s *Segment) { s.Shares = nil }},
		"few with tallies":       {&many, func(s *Segment) { s.Many, s.Shares = false, shares[:] }},
		"too many shares":        {&packed, func(s *Segment) { s.Shares = append(s.Shares, s.Shares...) }},
		"a share of nobody":      {&packed, func(s *Segment) { s.Shares[1].Interface = 2 }},
		"a tally of nobody":      {&many, func(s *Segment) { s.Data[0] = 2 }},
		"tallies of less":        {&many, func(s *Segment) { s.Data[2]-- }},
		"shares of less":         {&packed, func(s *Segment) { s.Shares[0].Bytes-- }},
		"records of nobody":      {&good, func(s *Segment) { s.Data[11] = 2 }},
		"another time":           {&good, func(s *Segment) { s.MaxTime-- }},
		"an earlier time":        {&good, func(s *Segment) { s.MinTime++ }},
		"not a record at all":    {&manyRaw, func(s *Segment) { clear(s.Data) }},
		"cut in the last record": {&manyRaw, func(s *Segment) { s.Data = s.Data[:len(s.Data)-1]; s.Size-- }},
		"fewer captured":         {&manyRaw, func(s *Segment) { s.Captured-- }},
	} {
		s := *test.of
		s.Data, s.Shares = slices.Clone(s.Data), slices.Clone(s.Shares)
		test.change(&s)
		if err := s.Check(known); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}

	list[5].Time -= 5000
	raw, _ = encode(list, ties, false)
	late := manyRaw
	late.Data, late.Size = raw, len(raw)
	if late.Check(known) == nil {
		t.Error("out of order, and no error")
	}
	if late.Disordered = true; late.Check(known) != nil {
		t.Error("out of order as it says, and an error")
	}
}
