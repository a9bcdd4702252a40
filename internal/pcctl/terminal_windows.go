package pcctl

import "golang.org/x/sys/windows"

// movable makes the console understand escape sequences, which it does from
// Windows 10 on, and restores it.
func (t terminal) movable() (restore func(), ok bool) {
	h := windows.Handle(t.f.Fd())
	var mode uint32
	if err := windows.GetConsoleMode(h, &mode); err != nil {
		return func() {}, false
	}
	if err := windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING); err != nil {
		return func() {}, false
	}
	return func() { _ = windows.SetConsoleMode(h, mode) }, true
}
