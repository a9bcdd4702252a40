package endtoend

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
)

const policyKey = `HKLM\SOFTWARE\Policies\PacketCache`

// A template is PacketCache.admx, as far as it says what Group Policy writes.
type template struct {
	Policies []struct {
		Key       string `xml:"key,attr"`
		ValueName string `xml:"valueName,attr"` // of one that is switched on and off
		Elements  struct {
			Text []struct {
				ValueName  string `xml:"valueName,attr"`
				Expandable bool   `xml:"expandable,attr"`
			} `xml:"text"`
			MultiText []struct {
				ValueName string `xml:"valueName,attr"`
			} `xml:"multiText"`
			Enum []struct {
				ValueName string `xml:"valueName,attr"`
			} `xml:"enum"`
		} `xml:"elements"`
	} `xml:"policies>policy"`
}

// What Group Policy writes by the administrative templates is in force, each
// setting with its example.
func TestWindowsPolicies(t *testing.T) {
	text, err := os.ReadFile("../../installer/admx/PacketCache.admx")
	if err != nil {
		t.Fatal(err)
	}
	var templates template
	if err := xml.Unmarshal(text, &templates); err != nil {
		t.Fatal(err)
	}
	w := newWindows(t)
	want := map[string][]string{}
	for _, p := range templates.Policies {
		if !strings.EqualFold(`HKLM\`+p.Key, policyKey) {
			t.Errorf("policies are below %s", p.Key)
		}
		name, kind := p.ValueName, "REG_DWORD"
		for _, e := range p.Elements.Text {
			name, kind = e.ValueName, "REG_SZ"
			if e.Expandable {
				kind = "REG_EXPAND_SZ"
			}
		}
		for _, e := range p.Elements.MultiText {
			name, kind = e.ValueName, "REG_MULTI_SZ"
		}
		for _, e := range p.Elements.Enum {
			name, kind = e.ValueName, "REG_SZ"
		}
		i := slices.IndexFunc(config.Fields(), func(f config.Field) bool { return f.Registry == name })
		if i < 0 {
			t.Errorf("%s is no setting", name)
			continue
		}
		f := config.Fields()[i]
		value := f.Example
		values := []string{value}
		switch {
		case kind == "REG_MULTI_SZ":
			values = strings.Split(value, ", ")
			value = strings.Join(values, `\0`)
		case kind == "REG_DWORD":
			value = map[string]string{"true": "1", "false": "0"}[value]
		case f.Item == "directory": // the examples are of Linux
			value, values = `%SystemDrive%\Packets`, []string{`C:\Packets`}
		case f.Item == "endpoint":
			value, values = "-lab", []string{"-lab"}
		}
		want[f.Key] = values
		w.must("reg", "add", policyKey, "/v", name, "/t", kind, "/d", value, "/f")
	}
	var got control.Settings
	if err := json.Unmarshal([]byte(w.mustPcctl("config", "list", "--json")), &got); err != nil {
		t.Fatal(err)
	}
	for _, p := range got.Problems {
		if p.Key != "ram-percent" { // which has no effect beside ram-size
			t.Errorf("problem: %+v", p)
		}
	}
	for _, s := range got.Settings {
		if s.Origin != "policy" || !slices.Equal(s.Values, want[s.Key]) {
			t.Errorf("%s is %q by %s, want %q by policy", s.Key, s.Values, s.Origin, want[s.Key])
		}
		delete(want, s.Key)
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
}
