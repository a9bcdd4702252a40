package config

import (
	"encoding/binary"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"
)

func utf16Bytes(s string) []byte {
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return b
}

func TestRegistryEntry(t *testing.T) {
	expand := func(s string) string { return strings.ReplaceAll(s, "%X%", `C:\X`) }
	for _, test := range []struct {
		name      string
		valueType uint32
		data      []byte
		want      Entry
	}{
		{"RamPercent", regDWORD, []byte{5, 0, 0, 0}, entry("ram-percent", Words{"5"})},
		{"RAMPERCENT", regSZ, utf16Bytes("0.5\x00"), entry("ram-percent", Words{"0.5"})},
		{"RamSize", regQWORD, []byte{0, 0, 0, 0, 1, 0, 0, 0}, entry("ram-size", Words{"4294967296"})},
		{"RamSize", regSZ, utf16Bytes("40MiB"), entry("ram-size", Words{"40MiB"})},
		{"Interfaces", regMultiSZ, utf16Bytes("Ethernet, 2\x00Wi-Fi\x00\x00"), entry("interfaces", Words{"Ethernet, 2", "Wi-Fi"})},
		{"Interfaces", regMultiSZ, utf16Bytes("\x00"), entry("interfaces", Words{})},
		{"Interfaces", regMultiSZ, nil, entry("interfaces", Words{})},
		{"Interfaces", regSZ, utf16Bytes("Ethernet, 2\x00"), entry("interfaces", Words{"Ethernet, 2"})},
		{"Interfaces", regSZ, utf16Bytes("\x00"), entry("interfaces", Words{})},
		{"Interfaces", regSZ, utf16Bytes("Ethernet, 2 | Wi-Fi*||\x00"), entry("interfaces", Words{"Ethernet, 2", "Wi-Fi*"})},
		{"Exclude", regExpandSZ, utf16Bytes("a|b"), entry("exclude", Words{"a", "b"})},
		{"Exclude", regMultiSZ, utf16Bytes("a|b\x00"), entry("exclude", Words{"a|b"})},
		{"Retain", regSZ, utf16Bytes("x4 tcp[13] & 2 != 0 || port 53"), entry("retain", Words{"x4 tcp[13] & 2 != 0 || port 53"})},
		{"DataDir", regExpandSZ, utf16Bytes(`%X%\data` + "\x00rubbish"), entry("data-dir", Words{`C:\X\data`})},
		{"LogLevel", regSZ, []byte{'x', 0, 0xff}, entry("log-level", Words{"x"})},
		{"Colour", regSZ, utf16Bytes("red"), entry("Colour", Words{"red"})},
		{"RamPercent", regDWORD, []byte{5, 0}, entry("ram-percent", registryData{regDWORD})},
		{"RamPercent", 3, []byte{5}, entry("ram-percent", registryData{3})},
	} {
		test.want.Where = `HKLM\SOFTWARE\PacketCache\` + test.name
		got := registryEntry(`HKLM\SOFTWARE\PacketCache`, test.name, test.valueType, test.data, expand)
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// Any bytes of any type become an entry that loading can judge.
func FuzzRegistryEntry(f *testing.F) {
	f.Add("RamPercent", uint32(regDWORD), []byte{1, 0, 0, 0})
	f.Add("Interfaces", uint32(regMultiSZ), utf16Bytes("a\x00b\x00\x00"))
	f.Add("DataDir", uint32(regExpandSZ), utf16Bytes("%A%\x00"))
	f.Add("LogLevel", uint32(regSZ), []byte{0x00, 0xd8, 0x41})
	f.Add("Exclude", uint32(0xffffffff), []byte(nil))
	f.Fuzz(func(t *testing.T, name string, valueType uint32, data []byte) {
		e := registryEntry(`HKLM\X`, name, valueType, data, func(s string) string { return s })
		loaded := (&Loader{Sources: []Source{fakeSource{origin: Registry, entries: []Entry{e}}}}).Load(nil)
		for _, v := range loaded.Values() {
			if _, err := v.Field.value(v.Words); err != nil {
				t.Fatalf("%s = %q is in force: %v", v.Field.Key, v.Words, err)
			}
		}
	})
}
