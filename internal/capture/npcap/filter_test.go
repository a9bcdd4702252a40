package npcap

import (
	"testing"

	"golang.org/x/net/bpf"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/packet"
)

func TestTagExtension(t *testing.T) {
	const npcap, linux = 0xfffff004, 0xfffff030
	for version, want := range map[string]struct {
		offset uint32
		known  bool
	}{
		"Npcap version 1.87, based on libpcap version 1.10.6":   {npcap, true},
		"Npcap version 1.81, based on libpcap version 1.10.5":   {npcap, true},
		"Npcap version 1.80, based on libpcap version 1.10.5":   {0, true},
		"Npcap version 0.9997, based on libpcap version 1.9.1":  {0, true},
		"Npcap version 2.0, based on libpcap version 1.12.0":    {npcap, true},
		"libpcap version 1.10.5 (with TPACKET_V3)":              {linux, true},
		"WinPcap version 4.1.3 (packet.dll version 4.1.0.2980)": {},
		"Npcap version ?": {},
		"":                {},
	} {
		if offset, known := tagExtension(version); known != want.known || known && offset != want.offset {
			t.Errorf("%q: %x, %v; want %x, %v", version, offset, known, want.offset, want.known)
		}
	}
}

func assemble(t *testing.T, program ...bpf.Instruction) []bpf.RawInstruction {
	t.Helper()
	raw, err := bpf.Assemble(program)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Whoever judges, each packet is judged as it is stored.
func TestDivide(t *testing.T) {
	// The filter wants frames of more than 20 bytes whose first is 1.
	match := func(b []byte, _ uint32) bool { return b[0] == 1 && len(b) > 20 }
	equal := capture.Program{Match: match, Instructions: assemble(t,
		bpf.LoadAbsolute{Off: 0, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 1, SkipFalse: 1},
		bpf.RetConstant{Val: packet.MaxLen},
		bpf.RetConstant{Val: 0},
	)}
	more := capture.Program{Match: match, Instructions: assemble(t,
		bpf.LoadAbsolute{Off: 0, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: 1, SkipFalse: 1},
		bpf.RetConstant{Val: packet.MaxLen},
		bpf.RetConstant{Val: 0},
	)}
	least := capture.Program{Match: match, Instructions: assemble(t,
		bpf.JumpIfX{Cond: bpf.JumpGreaterOrEqual, SkipFalse: 1},
		bpf.RetConstant{Val: packet.MaxLen},
		bpf.RetConstant{Val: 0},
	)}
	frame := func(first byte, etherType uint16, n int) []byte {
		b := make([]byte, n)
		b[0], b[12], b[13] = first, byte(etherType>>8), byte(etherType)
		return b
	}
	frames := map[string][]byte{
		"plain": frame(2, 0x0800, 60), "tagged": frame(1, 0x8100, 60),
		"tagged, unwanted": frame(2, 0x88a8, 60), "tagged, short": frame(1, 0x9100, 16),
	}
	all := map[string]bool{"plain": false, "tagged": true, "tagged, unwanted": false, "tagged, short": false}
	for _, test := range []struct {
		name, version string
		program       capture.Program
		lt            packet.LinkType
		driver        int             // instructions
		ours          map[string]bool // what match says, if there is one
	}{
		{"new", "Npcap version 1.87", equal, packet.LinkTypeEthernet, 7,
			map[string]bool{"plain": true, "tagged": true, "tagged, unwanted": false, "tagged, short": false}},
		{"new, raw IP", "Npcap version 1.87", equal, packet.LinkTypeRaw, 4, nil},
		{"old", "Npcap version 1.79", equal, packet.LinkTypeEthernet, 4, nil},
		{"unknown", "other", equal, packet.LinkTypeEthernet, 0, all},
		{"more than", "Npcap version 1.87", more, packet.LinkTypeEthernet, 0, all},
		{"at least", "Npcap version 1.79", least, packet.LinkTypeRaw, 0, all},
	} {
		j := divide(test.program, test.lt, test.version)
		if len(j.driver) != test.driver || (j.match != nil) != (test.ours != nil) {
			t.Errorf("%s: %d instructions for the driver, our own part: %v", test.name, len(j.driver), j.match != nil)
			continue
		}
		for name, want := range test.ours {
			if got := j.match(frames[name], 60); got != want {
				t.Errorf("%s: a frame that is %s: %v, want %v", test.name, name, got, want)
			}
		}
	}
	if tagged(make([]byte, 13)) {
		t.Error("a frame without a type has a tag")
	}
}

func TestPlain(t *testing.T) {
	end := bpf.RetConstant{Val: 1}
	for name, test := range map[string]struct {
		program []bpf.RawInstruction
		want    bool
	}{
		"equal":            {assemble(t, bpf.LoadAbsolute{Off: 12, Size: 2}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0x800}, end), true},
		"bits":             {assemble(t, bpf.LoadIndirect{Off: 6, Size: 2}, bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff}, end), true},
		"not less":         {assemble(t, bpf.LoadAbsolute{Off: 12, Size: 4}, bpf.JumpIf{Cond: bpf.JumpLessThan, Val: 5}, end), false},
		"remainder":        {assemble(t, bpf.ALUOpConstant{Op: bpf.ALUOpMod, Val: 2}, end), false},
		"exclusive or":     {assemble(t, bpf.ALUOpX{Op: bpf.ALUOpXor}, end), false},
		"sum":              {assemble(t, bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: 1 << 31}, end), true},
		"forwards":         {assemble(t, bpf.Jump{Skip: 1}, end, end), true},
		"backwards":        {[]bpf.RawInstruction{{Op: 0x05, K: 1<<32 - 1}}, false},
		"an extension":     {assemble(t, bpf.LoadExtension{Num: bpf.ExtProto}, end), false},
		"a large constant": {[]bpf.RawInstruction{{Op: 0x15, K: 1<<32 - 1}}, true},
		"long":             {make([]bpf.RawInstruction, 4093), true},
		"too long":         {make([]bpf.RawInstruction, 4094), false},
	} {
		if got := plain(test.program); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// What stands before the filter lets through what has a tag beside it, and
// leaves the rest to the filter.
func TestPreamble(t *testing.T) {
	nothing := capture.Program{Instructions: assemble(t, bpf.RetConstant{Val: 0})}
	for name, want := range map[string]bool{"without a tag": false, "with a tag": true} {
		program := divide(nothing, packet.LinkTypeEthernet, "Npcap version 1.87").driver
		program[0] = bpf.RawInstruction{Op: 0x00} // BPF_LD | BPF_IMM: what the driver finds there
		if want {
			program[0].K = 1
		}
		instructions, ok := bpf.Disassemble(program)
		if !ok {
			t.Fatalf("%v cannot be read", program)
		}
		vm, err := bpf.NewVM(instructions)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := vm.Run(make([]byte, 60)); err != nil || (n > 0) != want {
			t.Errorf("%s: %d bytes, %v", name, n, err)
		}
	}
}
