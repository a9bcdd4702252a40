package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tc-hib/winres"
	"github.com/tc-hib/winres/version"
)

// link makes a small program with the resources, as make build does.
func link(t *testing.T, program, arch, ver string) *winres.ResourceSet {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skipf("linking takes the go command: %v", err)
	}
	dir := filepath.Join(t.TempDir(), program)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"go.mod": "module example.com/" + program + "\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() {}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeAll(arch, ver, []string{dir}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program+".exe")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	exe, err := os.Open(filepath.Join(dir, program+".exe"))
	if err != nil {
		t.Fatal(err)
	}
	defer exe.Close()
	resources, err := winres.LoadFromEXE(exe)
	if err != nil {
		t.Fatal(err)
	}
	return resources
}

func TestLinked(t *testing.T) {
	for _, program := range []string{"packetcache", "pcctl"} {
		for _, arch := range []string{"amd64", "arm64"} {
			t.Run(program+"/"+arch, func(t *testing.T) {
				resources := link(t, program, arch, "1.20.3-rc.1+abc")
				info, err := version.FromBytes(resources.Get(winres.RT_VERSION, winres.ID(1), version.LangDefault))
				if err != nil {
					t.Fatal(err)
				}
				if want := [4]uint16{1, 20, 3}; info.FileVersion != want || info.ProductVersion != want || !info.Flags.Prerelease {
					t.Errorf("the versions are %v and %v, prerelease %v", info.FileVersion, info.ProductVersion, info.Flags.Prerelease)
				}
				var parsed struct {
					Info map[string]map[string]string `json:"info"`
				}
				if text, err := info.MarshalJSON(); err != nil || json.Unmarshal(text, &parsed) != nil {
					t.Fatalf("%v: %s", err, text)
				}
				texts := parsed.Info["0409"]
				for key, want := range map[string]string{
					version.FileVersion: "1.20.3-rc.1+abc", version.ProductVersion: "1.20.3-rc.1+abc",
					version.ProductName: "PacketCache", version.FileDescription: descriptions[program],
					version.OriginalFilename: program + ".exe", version.InternalName: program,
				} {
					if texts[key] != want {
						t.Errorf("%s is %q, want %q", key, texts[key], want)
					}
				}
				if got := resources.Get(winres.RT_MANIFEST, winres.ID(1), version.LangDefault); !bytes.Equal(got, manifest) {
					t.Errorf("the manifest is\n%s", got)
				}
				if _, err := resources.GetIconTranslation(winres.ID(1), version.LangDefault); err != nil {
					t.Errorf("icon: %v", err)
				}
			})
		}
	}
}

func TestReproducible(t *testing.T) {
	one, err := object("pcctl", "amd64", "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	if two, err := object("pcctl", "amd64", "1.2.3"); err != nil || !bytes.Equal(one, two) {
		t.Errorf("the second time it differs, %v", err)
	}
}

func TestNumbers(t *testing.T) {
	for ver, want := range map[string]string{
		"1.2.3": "1.2.3", "1.2.3-4-gabc1234": "1.2.3", "0.0.0-dev+abc.dirty": "0.0.0", "1.2.3+dirty": "1.2.3", "": "",
	} {
		if got := numbers(ver); got != want {
			t.Errorf("%q: %q, want %q", ver, got, want)
		}
	}
}

func TestRefuses(t *testing.T) {
	if _, err := object("notepad", "amd64", "1.2.3"); err == nil {
		t.Error("resources for a program that is not ours")
	}
	if _, err := object("pcctl", "mips", "1.2.3"); err == nil {
		t.Error("resources for a processor that Windows does not run on")
	}
}

func TestManifest(t *testing.T) {
	var parsed struct {
		Level struct {
			Level    string `xml:"level,attr"`
			UIAccess bool   `xml:"uiAccess,attr"`
		} `xml:"trustInfo>security>requestedPrivileges>requestedExecutionLevel"`
		OS []struct {
			ID string `xml:"Id,attr"`
		} `xml:"compatibility>application>supportedOS"`
		LongPaths bool   `xml:"application>windowsSettings>longPathAware"`
		CodePage  string `xml:"application>windowsSettings>activeCodePage"`
	}
	if err := xml.Unmarshal(manifest, &parsed); err != nil {
		t.Fatal(err)
	}
	if parsed.Level.Level != "asInvoker" || parsed.Level.UIAccess || !parsed.LongPaths || parsed.CodePage != "UTF-8" ||
		len(parsed.OS) != 1 || parsed.OS[0].ID != "{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}" {
		t.Errorf("the manifest says %+v", parsed)
	}
}

// The icon that the installer shows is the one that is drawn here.
func TestIconIsGenerated(t *testing.T) {
	want, err := ico()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../wix/packetcache.ico")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("packetcache.ico is not what make generate makes: %v", err)
	}
}

// At every size there are the ground, transparent corners, and every bar.
func TestDraw(t *testing.T) {
	for _, size := range sizes {
		img := draw(size)
		if img.Bounds() != image.Rect(0, 0, size, size) || img.NRGBAAt(0, 0).A > 128 || img.NRGBAAt(size/2, size-1) != ground {
			t.Errorf("%d: corner %v, ground %v", size, img.NRGBAAt(0, 0), img.NRGBAAt(size/2, size-1))
		}
		var missing []string
		for i, bar := range bars {
			x, y := (left+bar.length/2)*float64(size)/grid, (bar.top+0.5)*float64(size)/grid
			if img.NRGBAAt(int(x), int(y)) != bar.color {
				missing = append(missing, string(rune('1'+i)))
			}
		}
		if len(missing) > 0 {
			t.Errorf("%d: no bar %s", size, strings.Join(missing, ", "))
		}
	}
	if !slices.IsSorted(sizes) {
		t.Error("sizes are not sorted")
	}
}
