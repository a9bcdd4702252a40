package commandline

import (
	"slices"
	"testing"
)

func TestNearest(t *testing.T) {
	commands := []string{"install", "uninstall", "start", "stop", "restart", "status", "dump", "plan"}
	for _, test := range []struct {
		word string
		want []string
	}{
		{"stauts", []string{"status"}},
		{"dmup", []string{"dump"}},
		{"DUMP", []string{"dump"}},
		{"dum", []string{"dump"}},
		{"dumpp", []string{"dump"}},
		{"plam", []string{"plan"}},
		{"instal", []string{"install"}},
		{"uinstall", []string{"install", "uninstall"}},
		{"stat", []string{"start"}},
		{"remove", nil},
		{"du", nil},
		{"", nil},
		{"s", nil},
	} {
		if got := nearest(test.word, commands); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.word, got, test.want)
		}
	}
}

func TestSlips(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "ab", 2}, {"ab", "", 2}, {"ab", "ba", 1}, {"abc", "acb", 1},
		{"kitten", "sitting", 3}, {"since", "sinec", 1}, {"ram-percnt", "ram-percent", 1},
	} {
		if got := slips(test.a, test.b); got != test.want {
			t.Errorf("%q, %q: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
