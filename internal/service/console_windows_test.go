package service

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// consoleTest holds the console event that a daemon of TestConsoleEvents gets.
const consoleTest = "PACKETCACHE_TEST_CONSOLE_EVENT"

// serveConsoleEvent is a daemon that is sent an event and says how it ends. Who
// closes a console window, say, has Windows run CtrlRoutine in a thread of each
// process in it; Wine does so for Ctrl+C only, so that it is run from here.
func serveConsoleEvent(event string) int {
	number, err := strconv.Atoi(event)
	if err != nil {
		return 1
	}
	err = Run(quiet(), func(ctx context.Context, ready func()) error {
		ready()
		go func() {
			_, _, _ = windows.NewLazySystemDLL("kernelbase.dll").NewProc("CtrlRoutine").Call(uintptr(number))
		}()
		<-ctx.Done()
		fmt.Printf("%v, within %v\n", context.Cause(ctx), time.Until(StopBy(ctx)).Round(2*time.Second)) // the machine may be busy
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// In a terminal it ends in order by Ctrl+C, by Ctrl+Break and, in the time that
// Windows gives it, when the window is closed, the user logs off or the machine
// shuts down.
func TestConsoleEvents(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		event int
		says  string
	}{
		"Ctrl+C":     {windows.CTRL_C_EVENT, "told to stop: interrupt, within 20s"},
		"Ctrl+Break": {windows.CTRL_BREAK_EVENT, "told to stop: interrupt, within 20s"},
		"close":      {windows.CTRL_CLOSE_EVENT, "told to stop: terminated, within 4s"},
		"logoff":     {windows.CTRL_LOGOFF_EVENT, "told to stop: terminated, within 4s"},
		"shutdown":   {windows.CTRL_SHUTDOWN_EVENT, "told to stop: terminated, within 4s"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, self)
			cmd.Env = append(os.Environ(), consoleTest+"="+strconv.Itoa(test.event))
			out, err := cmd.CombinedOutput()
			if said := strings.TrimSpace(string(out)); err != nil || said != test.says {
				t.Errorf("%v; it says %q, want %q", err, said, test.says)
			}
		})
	}
}
