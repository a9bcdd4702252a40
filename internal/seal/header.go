package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"filippo.io/age"
)

// The age header says first, in a stanza of our own, which version of the format
// the file has and whose it is:
//
//	-> packetcache 1 age1...
//
// It tells the service which of its keys to take, and everybody whether this is
// a sealed cache at all. Other programs that read age pass over stanzas that
// they do not know.

const (
	// stanzaType is the word that our stanza begins with.
	stanzaType = "packetcache"
	// intro is the first line of every age file.
	intro = "age-encryption.org/v1\n"
	// MaxHeader bounds an age header, in bytes. One with eight recovery
	// recipients has 1.5 KiB.
	MaxHeader = 16 << 10
	// maxName is the longest name of an identity. Those of X25519 have 62
	// characters.
	maxName = 128
)

// A nameplate is the recipient that adds our stanza. It wraps no key.
type nameplate struct{ name string }

// Wrap implements age.Recipient.
func (n nameplate) Wrap([]byte) ([]*age.Stanza, error) {
	return []*age.Stanza{{Type: stanzaType, Args: []string{strconv.Itoa(Version), n.name}}}, nil
}

// A Name is what a sealed file tells without a key. Nothing vouches for it until
// the file has been opened.
type Name struct {
	// Version is that of the file's format.
	Version int
	// Identity is the machine identity that the file was sealed to, "age1...".
	Identity string
	// Recipients is how many keys open it, that of the machine among them.
	Recipients int
}

// ReadName reads the beginning of a sealed file, and as much more as comes with
// it. Errors are ErrNotAge, ErrForeign, a *VersionError, for which the name is
// returned too, or a *DamageError.
func ReadName(r io.Reader) (Name, error) {
	_, name, err := ReadHeader(r)
	return name, err
}

// ReadHeader is ReadName for who wants to have the file's key unwrapped: it
// returns the age header besides.
func ReadHeader(r io.Reader) (header []byte, name Name, err error) {
	var read bytes.Buffer
	header, err = age.ExtractHeader(io.TeeReader(io.LimitReader(r, MaxHeader), &read))
	switch start := read.Bytes(); {
	case err == nil:
		name, err = nameOf(header)
		return header, name, err
	case !bytes.HasPrefix(start, []byte(intro)):
		if len(start) > 0 && strings.HasPrefix(intro, string(start)) {
			err = &DamageError{Err: errCut}
		} else {
			err = ErrNotAge
		}
	case !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF):
		err = &DamageError{Err: err}
	case read.Len() == MaxHeader:
		err = ErrForeign // no header of ours is as long
	default:
		err = &DamageError{Err: errCut}
	}
	return nil, Name{}, err
}

// nameOf finds our stanza in a header.
func nameOf(header []byte) (Name, error) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(string(header), intro), "\n")
	words := strings.Split(first, " ")
	if len(words) < 2 || words[0] != "->" || words[1] != stanzaType {
		return Name{}, ErrForeign
	}
	if len(words) < 4 {
		return Name{}, &DamageError{Err: fmt.Errorf("the stanza %q names no version and identity", first)}
	}
	version, err := strconv.Atoi(words[2])
	if err != nil {
		return Name{}, &DamageError{Err: fmt.Errorf("the stanza names a version %q", words[2])}
	}
	name := Name{Version: version, Identity: words[3], Recipients: strings.Count("\n"+rest, "\n-> ")}
	if version != Version {
		return name, &VersionError{version}
	}
	if len(name.Identity) > maxName || len(words) != 4 {
		return Name{}, &DamageError{Err: errors.New("the stanza that names the identity makes no sense")}
	}
	return name, nil
}
