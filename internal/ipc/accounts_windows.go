package ipc

import (
	"sync"
	"time"

	"golang.org/x/sys/windows"
)

const (
	// lookupPatience is how long a client waits for the name of its account.
	lookupPatience = 250 * time.Millisecond
	// maxAccounts is how many names are remembered.
	maxAccounts = 64
)

// Accounts finds the names of accounts by their SIDs. For one of a domain,
// Windows may ask a domain controller ("LookupAccountSidW function"), which takes
// long on a machine that was cut off from its network: just when somebody wants
// to know what it did. So nobody waits for an answer for long, and it is
// remembered.
type accounts struct {
	lookup func(*windows.SID) (name string, err error)

	mu sync.Mutex
	// found holds the lookups that are under way or were answered, by SID.
	found map[string]*account
}

type account struct {
	answered chan struct{} // closed when there is a name, or there is none
	name     string
}

func newAccounts() *accounts {
	return &accounts{found: map[string]*account{}, lookup: func(sid *windows.SID) (string, error) {
		name, domain, _, err := sid.LookupAccount("")
		return domain + `\` + name, err
	}}
}

// name is that of an account or, as long as it is not known, its SID.
func (a *accounts) name(sid *windows.SID) string {
	text := sid.String()
	found := a.ask(sid, text)
	if found == nil {
		return text
	}
	patience := time.NewTimer(lookupPatience)
	defer patience.Stop()
	select {
	case <-found.answered:
		if found.name != "" {
			return found.name
		}
	case <-patience.C:
	}
	return text
}

// ask has an account looked up if it was not before; nil if too many are.
func (a *accounts) ask(sid *windows.SID, text string) *account {
	a.mu.Lock()
	defer a.mu.Unlock()
	if found := a.found[text]; found != nil {
		return found
	}
	if len(a.found) == maxAccounts {
		for other, found := range a.found {
			select {
			case <-found.answered:
				delete(a.found, other)
			default: // it would be asked for once more
			}
		}
		if len(a.found) == maxAccounts {
			return nil
		}
	}
	found := &account{answered: make(chan struct{})}
	a.found[text] = found
	own, err := sid.Copy()
	if err != nil {
		own = sid
	}
	go func() {
		defer close(found.answered)
		if name, err := a.lookup(own); err == nil {
			found.name = name
			return
		}
		a.mu.Lock() // so that it is asked for again
		defer a.mu.Unlock()
		delete(a.found, text)
	}()
	return found
}
