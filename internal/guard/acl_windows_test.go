package guard

import (
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

// Descriptors as Windows has them, and who can do what.
func TestGrants(t *testing.T) {
	const (
		ada          = "S-1-5-21-1-2-3-1001"
		programFiles = "O:" + trustedInstaller + "G:" + trustedInstaller +
			"D:PAI(A;;FA;;;" + trustedInstaller + ")(A;CIIO;GA;;;" + trustedInstaller + ")(A;;0x1301bf;;;SY)(A;OICIIO;GA;;;SY)" +
			"(A;;0x1301bf;;;BA)(A;OICIIO;GA;;;BA)(A;;0x1200a9;;;BU)(A;OICIIO;GXGR;;;BU)(A;OICIIO;GA;;;CO)(A;;0x1200a9;;;AC)(A;OICIIO;GXGR;;;AC)"
		inProgramFiles = "O:BAG:DUD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIID;0x1200a9;;;BU)(A;ID;FA;;;" + trustedInstaller + ")(A;OICIIOID;GA;;;CO)"
		driveC         = "O:" + trustedInstaller + "D:PAI(A;;LC;;;AU)(A;OICIIO;SDGXGWGR;;;AU)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)"
		belowDriveC    = "O:BAD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIID;0x1200a9;;;BU)(A;ID;0x1301bf;;;AU)(A;OICIIOID;SDGXGWGR;;;AU)"
	)
	for name, test := range map[string]struct {
		sddl    string
		harmful windows.ACCESS_MASK
		want    string
	}{
		"Program Files":                      {programFiles, overAncestor, ""},
		"a directory in there":               {inProgramFiles, overDirectory, ""},
		"a program in there":                 {inProgramFiles, overProgram, ""},
		"the drive":                          {driveC, overRoot, ""},
		"a directory on it":                  {belowDriveC, overDirectory, "S-1-5-11"},
		"one further up":                     {belowDriveC, overAncestor, "S-1-5-11"},
		"what was moved from a profile":      {"O:" + ada + "D:(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;" + ada + ")", overProgram, ada + " " + ada},
		"an owner that is not in the list":   {"O:" + ada + "D:(A;;FA;;;SY)", overAncestor, ada},
		"an empty list":                      {"O:BAD:", overProgram, ""},
		"files may be created":               {"O:BAD:(A;;DC;;;BU)", overDirectory, "S-1-5-32-545"},
		"files may be created further up":    {"O:BAD:(A;;DC;;;BU)", overAncestor, ""},
		"what is in there may be deleted":    {"O:BAD:(A;;DT;;;BU)", overRoot, "S-1-5-32-545"},
		"the list may be changed":            {"O:BAD:(A;;WD;;;BU)", overRoot, "S-1-5-32-545"},
		"the drive may be deleted":           {"O:BAD:(A;;SD;;;BU)", overRoot, ""},
		"whoever owns it":                    {"O:BAD:(A;;FA;;;OW)", overProgram, ""},
		"attributes may be changed":          {"O:BAD:(A;;0x120116;;;BU)", overProgram &^ (windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA), ""},
		"denied":                             {"O:BAD:(D;;FA;;;BU)", overProgram, ""},
		"those who meet a condition":         {`O:BAD:(XA;;FA;;;BU;(Member_of {SID(BA)}))`, overProgram, "S-1-5-32-545"},
		"what will be made in the directory": {"O:BAD:(A;OICIIO;FA;;;BU)", overDirectory, ""},
	} {
		t.Run(name, func(t *testing.T) {
			sd, err := windows.SecurityDescriptorFromString(test.sddl)
			if err != nil && strings.Contains(test.sddl, "XA") {
				t.Skipf("this system cannot read it: %v", err)
			} else if err != nil {
				t.Fatal(err)
			}
			grants, err := grantsOf(sd)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, g := range grants {
				if g.mask&test.harmful != 0 {
					got = append(got, g.sid.String())
				}
			}
			if list := strings.Join(got, " "); list != test.want {
				t.Errorf("it can be changed by %q, want %q", list, test.want)
			}
		})
	}
}

// Where there is no list at all, everyone may do everything.
func TestGrantsWithoutAList(t *testing.T) {
	sd, err := windows.NewSecurityDescriptor()
	if err != nil {
		t.Fatal(err)
	}
	if err := sd.SetDACL(nil, true, false); err != nil {
		t.Fatal(err)
	}
	grants, err := grantsOf(sd)
	if err != nil || len(grants) != 1 || !grants[0].sid.IsWellKnown(windows.WinWorldSid) || grants[0].mask&overRoot == 0 {
		t.Errorf("%v, %v", grants, err)
	}
}
