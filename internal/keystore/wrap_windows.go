package keystore

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// dpapi protects secrets by DPAPI for the account of this process: LocalSystem's for
// the service. In machine scope, every account could have them unprotected.
type dpapi struct{}

func newWrapping() (wrapping, error) { return dpapi{}, nil }

// entropy is what Windows asks for besides the account. It is no secret, but what
// unprotects whatever it finds does not have it; and a file that was given the name
// of another does not pass for it.
func entropy(name string) *windows.DataBlob {
	return blob([]byte("PacketCache, sealed cache: " + name))
}

func (dpapi) wrap(name string, secret []byte) ([]byte, error) {
	description, err := windows.UTF16PtrFromString("PacketCache")
	if err != nil {
		return nil, err
	}
	var out windows.DataBlob
	err = windows.CryptProtectData(blob(secret), description, entropy(name), 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, &out)
	if err != nil {
		return nil, fmt.Errorf("protecting it (CryptProtectData): %w", err)
	}
	return taken(out), nil
}

func (dpapi) unwrap(name string, wrapped []byte) ([]byte, error) {
	if len(wrapped) == 0 {
		return nil, errors.New("its file is empty")
	}
	var out windows.DataBlob
	err := windows.CryptUnprotectData(blob(wrapped), nil, entropy(name), 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, &out)
	if err != nil {
		return nil, fmt.Errorf("its file is damaged, or of another account or machine (CryptUnprotectData): %w", err)
	}
	return taken(out), nil
}

func blob(data []byte) *windows.DataBlob {
	return &windows.DataBlob{Size: uint32(len(data)), Data: unsafe.SliceData(data)}
}

// taken moves what Windows has allocated to memory of ours, and wipes it there.
func taken(b windows.DataBlob) []byte {
	theirs := unsafe.Slice(b.Data, b.Size)
	ours := append([]byte(nil), theirs...)
	clear(theirs)
	_, _ = windows.LocalFree(windows.Handle(uintptr(unsafe.Pointer(b.Data))))
	return ours
}
