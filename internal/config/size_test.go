package config

import (
	"strings"
	"testing"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]Size{
		"0":                   0,
		"8388608":             8 * MiB,
		"40MiB":               40 * MiB,
		" 40 MiB ":            40 * MiB,
		"40mib":               40 * MiB,
		"1.5GiB":              1536 * MiB,
		"512MB":               512e6,
		"1kB":                 1000,
		"1KB":                 1000,
		"2TiB":                2 * TiB,
		"3 TB":                3e12,
		"12B":                 12,
		"0.5KiB":              512,
		"9223372036854775807": 1<<63 - 1,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                     "not a size",
		"MiB":                  "not a size",
		"forty":                "not a size",
		"40M":                  `unknown unit "M"`,
		"40 parsecs":           `unknown unit "parsecs"`,
		"-40MiB":               "not a size",
		"+40MiB":               "not a size",
		"1e3MiB":               "not a size",
		"1.5":                  "not a size",
		"1.":                   "not a size",
		".5MiB":                "not a size",
		"1.2.3MiB":             "not a size",
		"40MiB5":               "not a size",
		"0x10MiB":              "not a size",
		"1_000":                "not a size",
		"9223372036854775808":  "more than any machine has",
		"99999999999999999999": "more than any machine has",
		"8388608TiB":           "more than any machine has",
		"8388608.5TiB":         "more than any machine has",
	} {
		if got, err := ParseSize(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseSize(%q) = %d, %v; want an error with %q", text, got, err, want)
		}
	}
}

func TestSizeString(t *testing.T) {
	for size, want := range map[Size]string{
		0: "", 1: "1B", 1500: "1500B", KiB: "1KiB", 40 * MiB: "40MiB", 1536 * MiB: "1536MiB", GiB: "1GiB", 3 * TiB: "3TiB",
	} {
		if got := size.String(); got != want {
			t.Errorf("Size(%d).String() = %q, want %q", uint64(size), got, want)
		}
	}
}

func TestFormatBytes(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 B", 712: "712 B", 1023: "1023 B", 1024: "1 KiB", 1536: "1.5 KiB", 40 << 20: "40 MiB",
		1<<20 - 1: "1 MiB", 1<<30 - 1: "1 GiB", 12884901888: "12 GiB", 1<<64 - 1: "16 EiB",
	} {
		if got := FormatBytes(n); got != want {
			t.Errorf("FormatBytes(%d) = %q, want %q", n, got, want)
		}
	}
}

// Whatever ParseSize takes, String writes so that it is read the same.
func FuzzParseSize(f *testing.F) {
	for _, text := range []string{"40MiB", "1.5 GiB", "0", "-1", "9223372036854775807", "1e9", "0.0000001TiB", "１MiB"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		size, err := ParseSize(text)
		if err != nil {
			return
		}
		if size > 1<<63-1 {
			t.Fatalf("ParseSize(%q) = %d, beyond any file or machine", text, uint64(size))
		}
		if again, err := ParseSize(size.String()); size != 0 && (err != nil || again != size) {
			t.Fatalf("ParseSize(%q) = %v, read back as %v, %v", text, size, again, err)
		}
	})
}
