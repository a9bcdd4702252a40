package week

import (
	"bytes"
	"hash/maphash"
	"slices"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/klauspost/compress/zstd"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/trace"
)

// each calls f with all packets.
func each(t *testing.T, w Week, f func(*packet.Packet)) {
	t.Helper()
	err := trace.Each(w, func(_ []packet.Interface, packets []packet.Packet) error {
		for i := range packets {
			f(&packets[i])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSameSeedSameWeek(t *testing.T) {
	seed := maphash.MakeSeed()
	sum := func(w Week) (h maphash.Hash) {
		h.SetSeed(seed)
		each(t, w, func(p *packet.Packet) {
			h.Write(p.Data)
			maphash.WriteComparable(&h, p.Time)
		})
		return h
	}
	one, same, other := sum(Week{1, 0.15}), sum(Week{1, 0.15}), sum(Week{2, 0.15})
	if one.Sum64() != same.Sum64() {
		t.Error("the same seed gives other packets")
	}
	if one.Sum64() == other.Sum64() {
		t.Error("another seed gives the same packets")
	}
}

// TestPacketsAreRight asks gopacket: all can be decoded, lengths and checksums
// are as they should be, and none is older than the one before.
func TestPacketsAreRight(t *testing.T) {
	seen := map[gopacket.LayerType]int{}
	last := int64(0)
	each(t, Week{3, 0.3}, func(p *packet.Packet) {
		if p.Time < last {
			t.Fatalf("time goes back by %d ns", last-p.Time)
		}
		last = p.Time
		decoded := gopacket.NewPacket(p.Data, layers.LayerTypeEthernet, gopacket.NoCopy)
		for _, l := range decoded.Layers() {
			seen[l.LayerType()]++
		}
		transport := decoded.TransportLayer()
		if decoded.NetworkLayer() == nil || transport == nil {
			return
		}
		// What remains of a sum over data with its checksum is 0.
		pseudo := uint64(len(transport.LayerContents())+len(transport.LayerPayload())) + sum(decoded.NetworkLayer().NetworkFlow().Src().Raw()) + sum(decoded.NetworkLayer().NetworkFlow().Dst().Raw())
		switch l := transport.(type) {
		case *layers.TCP:
			pseudo += tcp
		case *layers.UDP:
			pseudo += udp
			if int(l.Length) != 8+len(l.Payload) {
				t.Fatalf("a datagram of %d bytes says %d", 8+len(l.Payload), l.Length)
			}
		}
		if left := fold(pseudo + sum(slices.Concat(transport.LayerContents(), transport.LayerPayload()))); left != 0xffff {
			t.Fatalf("a checksum is wrong by %04x: %v", left, decoded)
		}
	})
	for _, kind := range []gopacket.LayerType{
		layers.LayerTypeARP, layers.LayerTypeIPv4, layers.LayerTypeIPv6, layers.LayerTypeTCP, layers.LayerTypeUDP,
		layers.LayerTypeDNS, layers.LayerTypeNTP, layers.LayerTypeICMPv4, layers.LayerTypeICMPv6,
	} {
		if seen[kind] < 10 {
			t.Errorf("%d packets of %v", seen[kind], kind)
		}
	}
}

// TestSizesHaveAHeavyTail: most sessions are small, and nearly all bytes are in
// a few; most of them are there by day.
func TestSizesHaveAHeavyTail(t *testing.T) {
	x, err := trace.NewIndex(Week{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	size := make([]int, len(x.Sessions))
	byHour := make([]float64, 24)
	for _, p := range x.Packets {
		size[p.Session] += int(p.Length)
		byHour[time.Unix(0, p.Time).UTC().Hour()] += float64(p.Length)
	}
	var talks []int
	total := 0
	for i, s := range x.Sessions {
		if s.Talk {
			talks = append(talks, size[i])
			total += size[i]
		}
	}
	slices.Sort(talks)
	top := 0
	for _, n := range talks[len(talks)*99/100:] {
		top += n
	}
	median := talks[len(talks)/2]
	t.Logf("%d packets, %d MB, %d sessions, median %d bytes, the largest 1 %% hold %.1f %%", len(x.Packets), total/1e6, len(talks), median, 100*float64(top)/float64(total))
	if len(talks) < 5000 || median > 2000 || float64(top) < 0.75*float64(total) {
		t.Error("that is no heavy tail")
	}
	night, work := 0.0, 0.0
	for h := range 5 {
		night += byHour[h]
		work += byHour[10+h]
	}
	if work < 3*night {
		t.Errorf("%.0f MB from 10 to 15 o'clock, %.0f MB from 0 to 5", work/1e6, night/1e6)
	}
}

// TestPayloadIsEncrypted: heads compress somewhat, all the rest hardly.
func TestPayloadIsEncrypted(t *testing.T) {
	w := Week{1, 0.3}
	x, err := trace.NewIndex(w)
	if err != nil {
		t.Fatal(err)
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	type pile struct {
		waiting bytes.Buffer
		in, out int
	}
	var heads, rest pile
	var packed []byte
	i := 0
	each(t, w, func(p *packet.Packet) {
		to := &heads
		if x.Packets[i].Offset >= 4096 {
			to = &rest
		}
		i++
		to.waiting.Write(p.Data)
		if to.waiting.Len() > 1<<18 {
			packed = encoder.EncodeAll(to.waiting.Bytes(), packed[:0])
			to.in += to.waiting.Len()
			to.out += len(packed)
			to.waiting.Reset()
		}
	})
	head, tail := float64(heads.in)/float64(heads.out), float64(rest.in)/float64(rest.out)
	t.Logf("the first 4 KiB of sessions compress by %.2f, all else by %.2f", head, tail)
	if head < 1.2 || head > 2.5 || tail > 1.3 {
		t.Error("that is not how encrypted traffic compresses")
	}
}
