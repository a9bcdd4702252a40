package pcctl

import "testing"

func TestParseConnection(t *testing.T) {
	for given, want := range map[string]string{
		"192.0.2.7 50123 198.51.100.1 22":           "tcp and host 192.0.2.7 and host 198.51.100.1 and port 50123 and port 22",
		"fe80::1%eth0 65535 fe80::2%eth0 22":        "tcp and host fe80::1 and host fe80::2 and port 65535 and port 22",
		"::ffff:192.0.2.7 1 ::ffff:198.51.100.1 22": "tcp and host 192.0.2.7 and host 198.51.100.1 and port 1 and port 22",
		"":                              "",
		"192.0.2.7 50123 198.51.100.1":  "",
		"UNKNOWN 65535 UNKNOWN 65535":   "",
		"192.0.2.7 65536 192.0.2.8 22":  "",
		"192.0.2.7 -1 192.0.2.8 22":     "",
		"192.0.2.7 1 192.0.2.8 22 more": "",
		"1.2.3.4 1 1.2.3.4 1) or (udp":  "",
	} {
		got := ""
		if c, ok := parseConnection(given); ok {
			got = c.filter()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}
