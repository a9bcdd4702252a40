package ipc

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/windows"
)

func sidOf(t *testing.T, number int) *windows.SID {
	t.Helper()
	sid, err := windows.StringToSid(fmt.Sprintf("S-1-5-21-1-2-3-%d", number))
	if err != nil {
		t.Fatal(err)
	}
	return sid
}

// Nobody waits for a domain controller that does not answer, and once it has,
// its answer is there.
func TestAccountsOfADomainThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan string)
		asked := 0
		a := newAccounts()
		a.lookup = func(*windows.SID) (string, error) {
			asked++
			return <-answer, nil
		}
		sid := sidOf(t, 1000)
		for range 3 {
			begun := time.Now()
			if got := a.name(sid); got != sid.String() || time.Since(begun) != lookupPatience {
				t.Errorf("%q after %v", got, time.Since(begun))
			}
		}
		answer <- `CORP\alice`
		synctest.Wait()
		if got := a.name(sid); got != `CORP\alice` || asked != 1 {
			t.Errorf("%q, asked for %d times", got, asked)
		}
	})
}

func TestAccountsForgetFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := errors.New("none mapped")
		a := newAccounts()
		a.lookup = func(*windows.SID) (string, error) { return `CORP\alice`, err }
		sid := sidOf(t, 1000)
		if got := a.name(sid); got != sid.String() {
			t.Errorf("without a name: %q", got)
		}
		synctest.Wait()
		err = nil
		if got := a.name(sid); got != `CORP\alice` {
			t.Errorf("asked again: %q", got)
		}
	})
}

func TestAccountsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		a := newAccounts()
		a.lookup = func(sid *windows.SID) (string, error) {
			<-release
			return "name of " + sid.String(), nil
		}
		for i := range 2 * maxAccounts {
			a.name(sidOf(t, i))
		}
		if n := len(a.found); n != maxAccounts {
			t.Errorf("%d are looked up at once", n)
		}
		close(release)
		synctest.Wait()
		for i := range 2 * maxAccounts {
			sid := sidOf(t, i)
			if got := a.name(sid); got != "name of "+sid.String() {
				t.Errorf("%d: %q", i, got)
			}
		}
		if n := len(a.found); n > maxAccounts {
			t.Errorf("%d are remembered", n)
		}
	})
}
