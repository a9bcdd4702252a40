package service

import (
	"strings"
	"testing"

	"github.com/packetcache/packetcache/installer/linux"
)

func TestRender(t *testing.T) {
	for _, test := range []struct {
		name   string
		o      Options
		binary string
		lines  []string // in the result
		gone   []string
	}{
		{"plain", Options{}, "/opt/pc/packetcache",
			[]string{"ExecStart=/opt/pc/packetcache", "ProtectHome=yes"},
			[]string{"SupplementaryGroups", "ReadWritePaths", "/usr/bin/packetcache"}},
		{"spaces and signs", Options{}, `/opt/my "100%" \tools/packetcache`,
			[]string{`ExecStart="/opt/my \"100%%\" \\tools/packetcache"`}, nil},
		{"in a home", Options{}, "/home/ada/src/bin/packetcache",
			[]string{"ExecStart=/home/ada/src/bin/packetcache", "ProtectHome=read-only"}, []string{"ProtectHome=yes"}},
		{"group and directories", Options{SocketGroup: "wireshark", DataDir: "/srv/pc", WritablePaths: []string{"/srv/my data"}}, "/usr/bin/packetcache",
			[]string{"SupplementaryGroups=wireshark", "ReadWritePaths=-/srv/pc", `ReadWritePaths="-/srv/my data"`, "ExecStart=/usr/bin/packetcache"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			text, err := render(test.o, test.binary)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range test.lines {
				if strings.Count(text, "\n"+line+"\n") != 1 {
					t.Errorf("no line %s in\n%s", line, text)
				}
			}
			for _, word := range test.gone {
				if strings.Contains(text, word) {
					t.Errorf("%s in\n%s", word, text)
				}
			}
		})
	}
}

func TestRenderRefuses(t *testing.T) {
	for _, o := range []Options{
		{Binary: "/a\nExecStartPre=/bin/rm"},
		{SocketGroup: "a\nUser=b"},
		{WritablePaths: []string{"/{{Name}}"}},
		{DataDir: "/a\nb"},
	} {
		if text, err := render(o, o.Binary); err == nil {
			t.Errorf("%+v was written into the unit:\n%s", o, text)
		}
	}
}

// What render replaces is there to be replaced, and the unit is no template.
func TestUnitFitsRender(t *testing.T) {
	for _, line := range []string{"ExecStart=/usr/bin/packetcache", "ProtectHome=yes"} {
		if strings.Count(linux.Unit, "\n"+line+"\n") != 1 {
			t.Errorf("packetcache.service lacks the line %s", line)
		}
	}
	if strings.Contains(linux.Unit, "{{") {
		t.Error("packetcache.service contains {{, which kardianos/service expands")
	}
}
