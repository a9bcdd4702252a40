package npcap

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/net/bpf"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/packet"
)

// A judgement is a capture filter divided between the driver and us.
type judgement struct {
	driver []bpf.RawInstruction                   // nil for none
	match  func(data []byte, origLen uint32) bool // nil for none
}

// Classic BPF (linux/bpf_common.h), as far as it is of interest.
const (
	classOf      = 0x07
	classLoad    = 0x00 // BPF_LD
	classCompute = 0x04 // BPF_ALU
	classJump    = 0x05 // BPF_JMP
	operationOf  = 0xf0
	divideBy     = 0x30 // BPF_DIV, with BPF_ALU
	remainder    = 0x90 // BPF_MOD
	exclusiveOr  = 0xa0 // BPF_XOR
	jumpAlways   = 0x00 // BPF_JA, with BPF_JMP
	jumpMore     = 0x20 // BPF_JGT
	jumpLeast    = 0x30 // BPF_JGE

	loadByte = 0x30 // BPF_LD | BPF_B | BPF_ABS
	ifEqual  = 0x15 // BPF_JMP | BPF_JEQ | BPF_K
	give     = 0x06 // BPF_RET | BPF_K
)

// divide decides who applies a filter. It is written for packets as they are
// stored, with VLAN tags in place. Npcap since 1.81 puts a tag that the network
// card took off back into the packet, but after filtering, as Linux does; so
// there the driver lets packets with a tag through, and we judge them. Before
// that tags were lost altogether, and the driver sees what we see.
//
// What the driver might take amiss is left to us alone, since what it keeps out
// is gone.
func divide(p capture.Program, lt packet.LinkType, version string) judgement {
	tagPresent, known := tagExtension(version)
	switch {
	case !known || !plain(p.Instructions):
		return judgement{match: p.Match}
	case tagPresent == 0 || lt != packet.LinkTypeEthernet:
		return judgement{driver: p.Instructions}
	}
	return judgement{
		driver: append([]bpf.RawInstruction{
			{Op: loadByte, K: tagPresent},
			{Op: ifEqual, K: 0, Jt: 1},
			{Op: give, K: packet.MaxLen},
		}, p.Instructions...),
		match: func(data []byte, origLen uint32) bool { return !tagged(data) || p.Match(data, origLen) },
	}
}

// plain reports whether all versions of Npcap's driver take a program, and take
// it as it is meant (bpf_validate and bpf_filter in win_bpf_filter.c). They
// compare numbers as if they had a sign, and not all know all operations. What
// the driver refuses wpcap.dll would run, and that knows of no tags beside the
// packet.
func plain(program []bpf.RawInstruction) bool {
	const most = 4096 - 3 // BPF_MAXINSNS, less the preamble
	return len(program) <= most && !slices.ContainsFunc(program, func(in bpf.RawInstruction) bool {
		switch op := in.Op & operationOf; in.Op & classOf {
		case classLoad:
			return in.K > math.MaxInt32 // where the extensions are
		case classCompute:
			return op == divideBy || op == remainder || op == exclusiveOr
		case classJump:
			return op == jumpMore || op == jumpLeast || op == jumpAlways && in.K > most // backwards
		}
		return false
	})
}

// tagExtension tells from the library's version where a filter finds whether a
// packet has a VLAN tag that is kept beside it; 0 if there is no such thing.
func tagExtension(version string) (offset uint32, known bool) {
	const (
		npcap = 0xfffff000 + 4  // NPCAP_AD_OFF + NPCAP_AD_VLAN_TAG_PRESENT (npcap-bpf.h)
		linux = 0xfffff000 + 48 // SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT (linux/filter.h)
	)
	var major, minor int
	if n, _ := fmt.Sscanf(version, "Npcap version %d.%d", &major, &minor); n == 2 {
		if major > 1 || major == 1 && minor >= 81 {
			return npcap, true
		}
		return 0, true
	}
	// Wine's wpcap.dll passes on to libpcap on Linux, which has packet rings.
	return linux, strings.Contains(version, "TPACKET")
}

// tagged reports whether an Ethernet frame has a VLAN tag (IEEE 802.1Q, 9.3).
func tagged(frame []byte) bool {
	if len(frame) < 14 {
		return false
	}
	switch binary.BigEndian.Uint16(frame[12:]) {
	case 0x8100, 0x88a8, 0x9100:
		return true
	}
	return false
}
