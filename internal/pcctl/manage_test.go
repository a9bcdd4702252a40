package pcctl

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/datadir"
	"github.com/packetcache/packetcache/internal/guard"
	"github.com/packetcache/packetcache/internal/service"
)

// manage runs a command on a machine with these settings, whose service manager
// answers with err. It returns what that was told to do, one after the other, and
// with which options at first.
func manage(settings *config.Loaded, answer error, args ...string) (code int, out, errs string, did service.Action, with service.Options) {
	return manageFinding(service.Outcome{}, settings, answer, args...)
}

// manageFinding does it where the service manager finds something.
func manageFinding(found service.Outcome, settings *config.Loaded, answer error, args ...string) (code int, out, errs string, did service.Action, with service.Options) {
	m := machine{
		settings: func() *config.Loaded { return settings },
		control: func(a service.Action, o service.Options) error {
			if did == "" {
				with = o
				with.Progress, with.Report = nil, nil
			} else {
				did += " "
			}
			did += a
			o.Report(found)
			return answer
		},
	}
	var stdout, stderr bytes.Buffer
	err := newApp(m, &stdout, &stderr).Run(append([]string{"pcctl"}, args...))
	if err != nil {
		code = report(&stderr, err)
	}
	return code, stdout.String(), stderr.String(), did, with
}

func TestManage(t *testing.T) {
	plain := &config.Loaded{Settings: config.Defaults()}
	special := &config.Loaded{Settings: config.Defaults(), Problems: []config.Problem{{Where: "file:3", Reason: "ram-percent = 99"}}}
	special.SocketGroup, special.DataDir, special.EndpointDir = "wireshark", "/srv/pc", "/srv/run"
	denied := fmt.Errorf("pcctl start: %w: only root may", service.ErrPermission)
	for _, test := range []struct {
		name     string
		settings *config.Loaded
		answer   error
		args     []string
		code     int
		action   service.Action
		options  service.Options
		out, err string
	}{
		{"install", plain, nil, []string{"install"}, 0, "install start", service.Options{}, "installed\nStarted: ", ""},
		{"install only", plain, nil, []string{"install", "--no-start"}, 0, service.Install, service.Options{}, "installed\nNot started: ", ""},
		{"install that binary", plain, nil, []string{"install", "--binary", "/opt/pc"}, 0, "install start", service.Options{Binary: "/opt/pc"}, "installed", ""},
		{"install by the settings", special, nil, []string{"install"}, 0, "install start",
			service.Options{SocketGroup: "wireshark", DataDir: "/srv/pc", WritablePaths: []string{"/srv/run"}}, "installed", "Warning: file:3: ram-percent = 99"},
		{"uninstall", plain, nil, []string{"uninstall"}, 0, service.Uninstall, service.Options{}, "uninstalled", ""},
		{"start", plain, nil, []string{"start"}, 0, service.Start, service.Options{}, "started", ""},
		{"stop", plain, nil, []string{"stop"}, 0, service.Stop, service.Options{}, "stopped", ""},
		{"restart", plain, nil, []string{"restart"}, 0, service.Restart, service.Options{}, "restarted", ""},
		{"denied", plain, denied, []string{"start"}, 4, service.Start, service.Options{}, "", "pcctl start: not permitted: only root may\nHint: " + hintElevate},
		{"not installed", plain, service.ErrNotInstalled, []string{"stop"}, 1, service.Stop, service.Options{}, "", "Hint: \"pcctl install\" registers it"},
		{"replaceable", plain, fmt.Errorf("pcctl install: %w: Everyone may change x", service.ErrExposed), []string{"install"}, 1, service.Install, service.Options{}, "", "Everyone may change x\nHint: put the programs into"},
		{"failed", plain, errors.New("no systemd"), []string{"restart"}, 1, service.Restart, service.Options{}, "", "pcctl restart: no systemd\n"},
		{"argument", plain, nil, []string{"start", "now"}, 2, "", service.Options{}, "", `unexpected argument "now"`},
		{"flag of another", plain, nil, []string{"start", "--binary", "x"}, 2, "", service.Options{}, "", "binary"},
		{"endpoint", plain, nil, []string{"--endpoint-dir", "x", "install"}, 2, "", service.Options{}, "", "it is a setting"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, out, errs, action, options := manage(test.settings, test.answer, test.args...)
			if code != test.code || action != test.action || !reflect.DeepEqual(options, test.options) {
				t.Errorf("code %d, action %q with %+v", code, action, options)
			}
			if !strings.HasPrefix(out, test.out) || test.out == "" && out != "" {
				t.Errorf("stdout %q", out)
			}
			if !strings.Contains(errs, test.err) || test.err == "" && errs != "" {
				t.Errorf("stderr %q", errs)
			}
		})
	}
}

// What --purge removes, and when it does not.
func TestUninstallPurges(t *testing.T) {
	gone := errors.New("the data cannot be removed")
	for _, test := range []struct {
		name   string
		answer error // of the service manager
		data   error
		code   int
		purged bool
		err    string
	}{
		{"all", nil, nil, 0, true, ""},
		{"no service", service.ErrNotInstalled, nil, 0, true, ""},
		{"service that something holds up", errors.New("marked for deletion"), nil, 1, true, "marked for deletion"},
		{"data stays", nil, gone, 1, true, gone.Error()},
		{"no administrator", service.ErrPermission, nil, 4, false, "not permitted"},
		{"service of others", service.ErrForeign, nil, 1, false, "left alone"},
	} {
		t.Run(test.name, func(t *testing.T) {
			settings := &config.Loaded{Settings: config.Defaults()}
			settings.DataDir = "/srv/packets"
			store := &place{origin: config.File}
			var purged []string
			m := machine{
				settings: func() *config.Loaded { return settings },
				store:    store,
				control:  func(service.Action, service.Options) error { return test.answer },
				purge: func(dir string) error {
					purged = append(purged, dir)
					return test.data
				},
			}
			var stdout, stderr bytes.Buffer
			code := 0
			if err := newApp(m, &stdout, &stderr).Run([]string{"pcctl", "uninstall", "--purge"}); err != nil {
				code = report(&stderr, err)
			}
			if code != test.code || !strings.Contains(stderr.String(), test.err) || test.err == "" && stderr.Len() > 0 {
				t.Errorf("code %d: %q", code, stderr.String())
			}
			if (stdout.String() == "uninstalled, with its settings and data\n") != (test.code == 0) {
				t.Errorf("it says %q", stdout.String())
			}
			want := []string{"/srv/packets"}
			if !test.purged {
				want = nil
			}
			if !slices.Equal(purged, want) || slices.Equal(store.written, []string{"removed"}) != test.purged {
				t.Errorf("removed: data in %q, settings %q", purged, store.written)
			}
		})
	}
}

func TestPurgeData(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := purgeData(dir); err != nil {
		t.Errorf("where there is nothing: %v", err)
	}
	d, err := datadir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := purgeData(dir); !errors.Is(err, datadir.ErrInUse) {
		t.Errorf("in use: %v", err)
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	ours := []string{"PacketCache.sealed", "PacketCache.sealed.rejected-2", key.Recipient().String() + ".key", "restoring", "crash.txt", "crash-now.txt"}
	for _, name := range append(ours, "notes.txt") {
		if err := d.Write(name, []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := purgeData(dir); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 1 || filepath.Base(left[0]) != "notes.txt" {
		t.Errorf("left are %q, %v", left, err)
	}
	if err := os.Remove(filepath.Join(dir, "notes.txt")); err != nil {
		t.Fatal(err)
	}
	if err := purgeData(dir); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory: %v", err)
	}
}

func TestManageFinds(t *testing.T) {
	plain := &config.Loaded{Settings: config.Defaults()}
	for _, test := range []struct {
		command  string
		found    service.Outcome
		out, err string
	}{
		{"install", service.Outcome{Running: true}, "installed\nThe service is running already, as it was registered before: \"pcctl restart\" has it run as it is now.\n", ""},
		{"install --no-start", service.Outcome{Arguments: "5 --exclude x\x1b"}, "installed\n" +
			"The arguments of its earlier registration were kept, and win over settings: 5 --exclude x\uFFFD\n" +
			"Not started: \"pcctl start\" does that now, the next boot by itself.\n", ""},
		{"restart", service.Outcome{Ended: errors.New("exit code 11: it hung")}, "restarted: \"pcctl status\" says what it records\n", "Warning: the service did not end in order: exit code 11: it hung\n"},
		{"uninstall", service.Outcome{Ended: errors.New("x")}, "uninstalled; settings and data are still there\n", "Warning: the service did not end in order: x\n"},
		{"install --no-start", service.Outcome{Writers: []guard.Writer{{Account: "ada", Own: true, Path: `C:\x`}, {Account: "Everyone", Path: `C:\`}}},
			"installed\nNot started: \"pcctl start\" does that now, the next boot by itself.\n",
			"Warning: ada may change C:\\x, and so replace the program of the service, also without being elevated.\n" +
				"Warning: Everyone may change C:\\, and so replace the program of the service.\n"},
	} {
		code, out, errs, _, _ := manageFinding(test.found, plain, nil, strings.Fields(test.command)...)
		if code != 0 || out != test.out || errs != test.err {
			t.Errorf("%s, %+v: code %d, stdout %q, stderr %q", test.command, test.found, code, out, errs)
		}
	}
}

// TestInstallSets: what install is told goes into the settings, before the start.
func TestInstallSets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "packetcache.toml")
	store := config.TOMLFile{Path: file}
	failure := map[service.Action]error{}
	var did []string
	m := machine{
		settings: func() *config.Loaded { return (&config.Loader{Sources: []config.Source{store}}).Load(nil) },
		store:    store,
		control: func(a service.Action, o service.Options) error {
			text, _ := os.ReadFile(file)
			did = append(did, fmt.Sprintf("%s with %d bytes", a, len(text)))
			o.Report(service.Outcome{})
			return failure[a]
		},
	}
	install := func(args ...string) (code int, out, errs string) {
		did = nil
		var stdout, stderr bytes.Buffer
		if err := newApp(m, &stdout, &stderr).Run(append([]string{"pcctl", "install"}, args...)); err != nil {
			code = report(&stderr, err)
		}
		return code, stdout.String(), stderr.String()
	}
	for _, wrong := range [][]string{{"--ram-percent", "99"}, {"--ram-percent", "a lot"}, {"--interface", ""}, {"--exclude", "[x"}} {
		if code, _, errs := install(wrong...); code != exitUsage || len(did) > 0 {
			t.Errorf("%v: code %d, did %q\n%s", wrong, code, did, errs)
		}
	}
	code, out, errs := install("--ram-percent", "2.5", "--interface", "Ethernet, 2", "--interface", "wl*", "--exclude", "docker0")
	_, err := net.Interfaces() // which Wine does not tell
	if code != 0 || err == nil && !strings.Contains(errs, `no interface "Ethernet, 2" now; it has `) || strings.Contains(errs, "wl*") || !strings.HasPrefix(out, "installed\nram-percent = 2.5 in ") || !strings.Contains(out, "\nStarted: ") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	set := m.settings()
	if set.RAMPercent != 2.5 || !slices.Equal(set.Interfaces, []string{"Ethernet, 2", "wl*"}) || !slices.Equal(set.Exclude, []string{"docker0"}) {
		t.Errorf("the settings are %+v", set.Settings)
	}
	if len(did) != 2 || did[0] != "install with 0 bytes" || did[1] == "start with 0 bytes" {
		t.Errorf("did %q", did)
	}
	// Once more, and only a part.
	if code, out, _ := install("--ram-percent", "1"); code != 0 || m.settings().RAMPercent != 1 || len(m.settings().Interfaces) != 2 {
		t.Errorf("code %d, %+v\n%s", code, m.settings().Settings, out)
	}
	failure[service.Start] = errors.New("it does not start")
	if code, out, errs := install(); code != exitFailed || out != "installed\n" || !strings.Contains(errs, "it was installed, and could not be started: it does not start") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
}

func TestEndpointDirComesFromTheSettingsAtLast(t *testing.T) {
	t.Setenv(envEndpointDir, "")
	dir := start(t, &fakeService{})
	settings := &config.Loaded{}
	settings.EndpointDir = dir
	if code, _, errs, _, _ := manage(settings, nil, "status"); code != 0 {
		t.Errorf("code %d: %s", code, errs)
	}
}

// TestFailureOfAProgramIsNoUsageError has the service manager's own program
// fail with an exit code, which is not ours.
func TestFailureOfAProgramIsNoUsageError(t *testing.T) {
	failed := exec.Command("go", "no-such-command").Run()
	if failed == nil {
		t.Fatal("that should fail")
	}
	plain := &config.Loaded{Settings: config.Defaults()}
	if code, _, errs, _, _ := manage(plain, fmt.Errorf("systemctl: %w", failed), "start"); code != exitFailed {
		t.Errorf("code %d: %s", code, errs)
	}
}
