#Requires -Version 5.1

<#
.SYNOPSIS
Saves what PacketCache on other machines remembers as capture files, over WinRM.

.DESCRIPTION
Opens a PowerShell session to each host, reads the cache of the PacketCache service
there, and writes it to a file here, which appears when it is complete and not
before. Its SHA-256 is compared with what the service sent.

The dump streams through the session in pieces of 64 KiB. It is never held whole in
the memory of the remote shell, and nothing is written to the disk of the remote
host, so that nothing stays there, even when this is interrupted.

It takes an account that is an administrator of the remote host. A local account
other than the built-in Administrator gets its rights over the network only where
LocalAccountTokenFilterPolicy allows it; accounts of a domain always do.

The exit code is 0 (done), or that of the last host that failed: 1 (failed, or not
reachable over WinRM), 2 (wrong usage, for example a filter that cannot be read), 3
(the service does not run there) or 4 (not permitted).

.PARAMETER ComputerName
The hosts to read from.

.PARAMETER UserName
The account to log on with; its password is asked for. Without it and without
-Credential you are who you are here.

.PARAMETER Credential
The account to log on with, as an object of Get-Credential.

.PARAMETER UseSSL
Connect by HTTPS.

.PARAMETER Port
The port of WinRM, if it is not 5985, or 5986 for HTTPS.

.PARAMETER Authentication
How to log on: Default, Basic, Negotiate, NegotiateWithImplicitCredential, Credssp,
Digest or Kerberos.

.PARAMETER Filter
Only packets that match this expression, in the language of tcpdump:
"host 192.0.2.7 and port 443".

.PARAMETER Last
Only packets of the last so much time: 90s, 30m, 2h, 3d.

.PARAMETER Since
Only packets from this time on.

.PARAMETER Until
Only packets up to this time.

.PARAMETER Format
pcap, or pcapng, which has the names of the interfaces, nanoseconds and drop counts.

.PARAMETER Limit
Stop before the file of a host exceeds so many bytes: 100MB.

.PARAMETER OutFile
The file to write; one of that name is replaced. With several hosts, and where it is
a directory, the files HOST_yyMMdd_HHmm.pcap are written to that directory, which is
also their name without it; they replace none.

.PARAMETER ThrottleLimit
How many hosts are read at once.

.PARAMETER PassThru
Return the files as objects.

.EXAMPLE
.\ReadRemotePacketCache.ps1 host7 CORP\alice

Asks for the password and saves everything to host7_yyMMdd_HHmm.pcap.

.EXAMPLE
.\ReadRemotePacketCache.ps1 host7 -Credential $credential -UseSSL -Last 2h -Filter 'port 53' -OutFile dns.pcap

.EXAMPLE
.\ReadRemotePacketCache.ps1 (Get-Content hosts.txt) -ThrottleLimit 8 -Last 1h -OutFile C:\case42

.LINK
https://www.tcpdump.org/manpages/pcap-filter.7.html
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true, Position = 0)]
    [ValidateNotNullOrEmpty()]
    [string[]]$ComputerName,

    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty()]
    [string]$UserName,

    [System.Management.Automation.PSCredential]
    [System.Management.Automation.Credential()]
    $Credential,

    [switch]$UseSSL,

    [ValidateRange(1, 65535)]
    [int]$Port,

    [ValidateSet('Default', 'Basic', 'Negotiate', 'NegotiateWithImplicitCredential', 'Credssp', 'Digest', 'Kerberos')]
    [string]$Authentication,

    [string]$Filter,

    [ValidatePattern('^(\d+(\.\d+)?[smhd])+$')]
    [string]$Last,

    [datetime]$Since,

    [datetime]$Until,

    [ValidateSet('pcap', 'pcapng')]
    [string]$Format = 'pcap',

    [ValidateRange(1, 9223372036854775807)]
    [long]$Limit,

    [ValidateNotNullOrEmpty()]
    [string]$OutFile,

    [ValidateRange(1, 1000)]
    [int]$ThrottleLimit = 32,

    [switch]$PassThru
)

Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'

# What stands between these two lines is the same in ReadPacketCache.ps1 and
# ReadRemotePacketCache.ps1: each of them is copied around alone.
# --- shared by both scripts: begin ---

# Read-PacketCacheDump asks the service of the machine that it runs on for a dump,
# over HTTP on the control pipe (docs/control.md). It returns the dump in pieces of
# at most 64 KiB, as objects with Data; then one with Result, what the service says
# of the whole; or one with Failure and Message where there is no dump. It is sent
# to other machines, so it calls no other function of this script. What it returns
# it returns outside of try and catch: what then fails is not the reading.
function Read-PacketCacheDump {
    param([string]$Query)

    Set-StrictMode -Version 2
    $ErrorActionPreference = 'Stop'

    $explain = {
        param($Problem)
        $cause = $Problem.Exception
        while ($cause.InnerException) { $cause = $cause.InnerException }
        if ($cause -is [System.UnauthorizedAccessException]) {
            return [pscustomobject]@{ Failure = 'NoRights'; Message = 'access to the pipe is denied' }
        }
        if ($cause -is [System.TimeoutException]) {
            $service = Get-Service -Name PacketCache -ErrorAction SilentlyContinue
            $message = 'the service is not installed'
            if ($service) { $message = "the service is $($service.Status); start it with: Start-Service PacketCache" }
            if ($service -and "$($service.Status)" -eq 'Running') {
                $message = 'the service runs and does not answer: it is starting, or another PacketCache'
            }
            return [pscustomobject]@{ Failure = 'NoService'; Message = $message }
        }
        if ($cause -is [System.IO.IOException]) {
            return [pscustomobject]@{ Failure = 'Incomplete'; Message = 'the service closed the connection' }
        }
        return [pscustomobject]@{ Failure = 'Failed'; Message = $cause.Message }
    }
    $readLine = {
        $line = New-Object System.Text.StringBuilder
        while ($true) {
            $byte = $stream.ReadByte()
            if ($byte -lt 0) { throw (New-Object System.IO.EndOfStreamException) }
            if ($byte -eq 10) { return $line.ToString().TrimEnd("`r") }
            if ($line.Length -ge 65536) { throw 'the service sends a line without an end' }
            [void]$line.Append([char]$byte)
        }
    }

    # The service may learn who asks, and not act as them.
    $pipe = New-Object System.IO.Pipes.NamedPipeClientStream -ArgumentList @(
        '.', 'PacketCache-control',
        [System.IO.Pipes.PipeDirection]::InOut,
        [System.IO.Pipes.PipeOptions]::None,
        [System.Security.Principal.TokenImpersonationLevel]::Identification)
    try {
        $failure = $null
        $estimate = [long]0
        try {
            $pipe.Connect(5000)
            $request = "GET /v1/dump?$Query HTTP/1.1`r`nHost: packetcache`r`nConnection: close`r`n`r`n"
            $bytes = [System.Text.Encoding]::ASCII.GetBytes($request)
            $pipe.Write($bytes, 0, $bytes.Length)
            $pipe.Flush()
            $stream = New-Object System.IO.BufferedStream -ArgumentList $pipe, 65536
            $status = & $readLine
            while ($header = & $readLine) {
                if ($header -match '^X-PacketCache-Estimated-Bytes: *(\d+)$') { $estimate = [long]$Matches[1] }
            }
            if ($status -notmatch '^HTTP/1\.\d 200 ') {
                $reader = New-Object System.IO.StreamReader -ArgumentList $stream
                $text = $reader.ReadToEnd()
                $failure = [pscustomobject]@{ Failure = 'Failed'; Message = "the service answers: $status" }
                if ($status -match '^HTTP/1\.\d 400 ') { $failure.Failure = 'BadRequest' }
                if ($status -match '^HTTP/1\.\d 403 ') { $failure.Failure = 'NoRights' }
                if ($text -match '(?s)\{.*\}') {
                    $told = $Matches[0] | ConvertFrom-Json
                    $failure.Message = $told.error
                    if ($told.PSObject.Properties['hint']) { $failure.Message += '. ' + $told.hint }
                }
            }
        }
        catch { $failure = & $explain $_ }
        if ($failure) { return $failure }

        # The body comes in chunks (RFC 9112, section 7.1), of which there are left
        # so many bytes; -1 before the first one.
        $left = [long]-1
        while ($true) {
            $piece = $null
            try {
                if ($left -eq 0) { [void](& $readLine) } # ends the chunk
                if ($left -le 0) { $left = [Convert]::ToInt64((& $readLine).Split(';')[0].Trim(), 16) }
                if ($left -gt 0) {
                    $data = New-Object byte[] ([int][Math]::Min($left, [long]65536))
                    $n = $stream.Read($data, 0, $data.Length)
                    if ($n -le 0) { throw (New-Object System.IO.EndOfStreamException) }
                    if ($n -lt $data.Length) { [Array]::Resize([ref]$data, $n) }
                    $left -= $n
                    $piece = [pscustomobject]@{ Data = $data; Estimate = $estimate }
                }
            }
            catch { $failure = & $explain $_ }
            if ($failure) { return $failure }
            if (-not $piece) { break }
            $piece
        }
        $result = $null
        try {
            while ($trailer = & $readLine) {
                if ($trailer -match '^X-PacketCache-Result: *(\{.*\})$') { $result = $Matches[1] }
            }
        }
        catch { $failure = & $explain $_ }
        if ($failure) { return $failure }
        if ($result) { [pscustomobject]@{ Result = $result } }
    }
    finally {
        $pipe.Dispose()
    }
}

# Get-DumpQuery writes what is wanted as the service takes it.
function Get-DumpQuery {
    param([System.Collections.IDictionary]$Wanted)

    $parts = @('sha256=1')
    foreach ($name in 'Format', 'Filter', 'Last', 'Since', 'Until', 'Limit') {
        if (-not $Wanted.Contains($name)) { continue }
        $value = $Wanted[$name]
        if ($value -is [datetime]) { $value = $value.ToUniversalTime().ToString('o') }
        $parts += $name.ToLowerInvariant() + '=' + [Uri]::EscapeDataString("$value")
    }
    $parts -join '&'
}

# New-DumpFile opens a file beside Path, which Complete-DumpFile moves there and
# Remove-DumpFile takes away.
function New-DumpFile {
    param([string]$Path, [bool]$Replace)

    $part = "$Path.$PID.part"
    [pscustomobject]@{
        Path    = $Path
        Replace = $Replace
        Part    = $part
        Stream  = [System.IO.File]::Open($part, 'CreateNew', 'Write', 'Read')
        Bytes   = [long]0
        Result  = $null
        Failure = $null
        Message = ''
    }
}

function Write-DumpFile {
    param($File, $Piece)

    if ($Piece.PSObject.Properties['Data']) {
        $data = [byte[]]$Piece.Data
        $File.Stream.Write($data, 0, $data.Length)
        $File.Bytes += $data.Length
    }
    elseif ($Piece.PSObject.Properties['Result']) {
        $File.Result = $Piece.Result | ConvertFrom-Json
    }
    else {
        $File.Failure, $File.Message = $Piece.Failure, $Piece.Message
    }
}

# Complete-DumpFile puts the file at its place if all of it has come, and sets
# Failure and Message if not.
function Complete-DumpFile {
    param($File)

    $File.Stream.Flush($true) # to the disk, before it gets its name
    $File.Stream.Dispose()
    if ($File.Failure) { return }
    if (-not $File.Result -or $File.Result.bytes -ne $File.Bytes) {
        $File.Failure = 'Incomplete'
        $File.Message = "the connection broke after $($File.Bytes) bytes"
        return
    }
    if ((Get-FileHash -LiteralPath $File.Part -Algorithm SHA256).Hash -ne $File.Result.sha256) {
        $File.Failure, $File.Message = 'Incomplete', 'the SHA-256 of the file is not that of what the service sent'
        return
    }
    if (-not $File.Replace) {
        $directory = [System.IO.Path]::GetDirectoryName($File.Path)
        $base = [System.IO.Path]::GetFileNameWithoutExtension($File.Path)
        $extension = [System.IO.Path]::GetExtension($File.Path)
        for ($n = 2; Test-Path -LiteralPath $File.Path; $n++) {
            $File.Path = Join-Path $directory "$base-$n$extension"
        }
    }
    Move-Item -LiteralPath $File.Part -Destination $File.Path -Force
}

# Remove-DumpFile ends none of what else there is to be cleaned up.
function Remove-DumpFile {
    param($File)

    try { $File.Stream.Dispose() }
    catch { Write-Verbose "$_" } # what it had not written yet goes, too
    if (Test-Path -LiteralPath $File.Part) { Remove-Item -LiteralPath $File.Part -Force -ErrorAction Continue }
}

# Write-DumpSummary says what a complete file holds.
function Write-DumpSummary {
    param($File, [string]$HostName, [bool]$Bounded)

    $result = $File.Result
    Write-Verbose "$($File.Path): $($result.packets) packets, $($result.bytes) bytes, SHA-256 $($result.sha256)"
    if ($result.packets -eq 0 -and $Bounded) {
        Write-Warning "${HostName}: no packet matched, the file holds none. `"pcctl status`" there says how far back the cache reaches."
    }
    elseif ($result.packets -eq 0) {
        Write-Warning "${HostName}: the cache is empty, the file holds no packets. `"pcctl status`" there says what is recorded."
    }
    if ($result.evicted_packets -gt 0) {
        Write-Warning "${HostName}: $($result.evicted_packets) packets were evicted before they could be read."
    }
    if ($result.limit_reached) {
        Write-Warning "${HostName}: there was more, -Limit was reached."
    }
}

# Get-FailureText says why there is no dump of a host, and what to do.
function Get-FailureText {
    param([string]$HostName, [string]$Failure, [string]$Message)

    switch ($Failure) {
        'NoService' { "${HostName}: PacketCache cannot be reached: $Message" }
        'NoRights' { "${HostName}: not permitted: $Message. The cache holds other people's traffic, so reading it takes an administrator of that machine, in an elevated session." }
        'BadRequest' { "${HostName}: $Message" }
        'Incomplete' { "${HostName}: the dump is incomplete, nothing was kept: $Message. Try again." }
        default { "${HostName}: $Message" }
    }
}

# Get-FailureCode is the exit code, as pcctl has them.
function Get-FailureCode {
    param([string]$Failure)

    switch ($Failure) {
        'BadRequest' { 2 }
        'NoService' { 3 }
        'NoRights' { 4 }
        default { 1 }
    }
}

# Show-DumpProgress moves the bar.
function Show-DumpProgress {
    param([long]$Bytes, [long]$Estimate)

    $percent = -1
    if ($Estimate -gt 0 -and $Bytes -le $Estimate) { $percent = [int](100 * $Bytes / $Estimate) }
    Write-Progress -Activity 'Reading PacketCache' -Status ('{0:N1} MiB' -f ($Bytes / 1048576)) -PercentComplete $percent
}

# --- shared by both scripts: end ---

# Get-DumpName is how PacketCache's users know their dumps: HOST_181112_1337.pcap.
function Get-DumpName {
    param([string]$HostName, [string]$Format)

    $name = ($HostName -replace '[^A-Za-z0-9.-]', '_').TrimStart([char[]]'-.')
    $name + (Get-Date).ToString('_yyMMdd_HHmm.', [Globalization.CultureInfo]::InvariantCulture) + $Format
}

# Test-ErrorOfHost finds the error of a host among those of several, of which one may be
# called as another begins.
function Test-ErrorOfHost {
    param($Problem, [string]$HostName)

    " $Problem " -match ('[^\w.-]' + [regex]::Escape($HostName) + '\.?[^\w.-]')
}

# Show-LogonFailure says why there is no session with a host, and returns the exit code.
function Show-LogonFailure {
    param([string]$HostName, $Problem)

    $reason = ''
    if ($Problem -is [System.Management.Automation.ErrorRecord]) { $reason = $Problem.FullyQualifiedErrorId }
    if ($reason -match '^(AccessDenied|LogonFailure|AuthenticationFailed)\b') {
        Write-Error (Get-FailureText -HostName $HostName -Failure 'NoRights' -Message "the logon over WinRM was denied ($Problem)") -ErrorAction Continue
        return 4
    }
    $advice = 'On that host, as administrator: Enable-PSRemoting'
    if ($reason -match '^(CannotUseIPAddress|ServerNotTrusted)\b') {
        $advice = 'Name the host as its domain does, or take -UseSSL, or add it to TrustedHosts here.'
    }
    Write-Error "${HostName}: not reachable over WinRM: $Problem $advice" -ErrorAction Continue
    return 1
}

# Each host once, whatever the case of its name, as sessions call it.
$hosts = @()
foreach ($name in $ComputerName) {
    if ($name -eq '.') { $name = 'localhost' }
    if ($hosts -notcontains $name) { $hosts += $name }
}
$wanted = @{ Format = $Format }
foreach ($name in 'Filter', 'Last', 'Since', 'Until', 'Limit') {
    if ($PSBoundParameters.ContainsKey($name)) { $wanted[$name] = $PSBoundParameters[$name] }
}

# Where the files go.
$directory, $single = '.', $null
if ($OutFile) {
    if ($hosts.Count -gt 1 -or (Test-Path -LiteralPath $OutFile -PathType Container)) { $directory = $OutFile }
    else { $single = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($OutFile) }
}
if (-not (Test-Path -LiteralPath $directory -PathType Container)) {
    Write-Error "-OutFile: several hosts take a directory, and $directory is none." -ErrorAction Continue
    exit 2
}
$directory = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($directory)

$logon = @{ ThrottleLimit = $ThrottleLimit }
if ($PSBoundParameters.ContainsKey('UserName')) {
    if ($PSBoundParameters.ContainsKey('Credential')) {
        Write-Error '-UserName and -Credential exclude each other.' -ErrorAction Continue
        exit 2
    }
    $password = Read-Host -AsSecureString -Prompt "Password of $UserName"
    $logon.Credential = New-Object System.Management.Automation.PSCredential -ArgumentList $UserName, $password
}
foreach ($name in 'Credential', 'UseSSL', 'Port', 'Authentication') {
    if ($PSBoundParameters.ContainsKey($name)) { $logon[$name] = $PSBoundParameters[$name] }
}

$code = 0
$sessions = @()
$files = @{}
try {
    foreach ($name in $hosts) { Write-Host "[*] Dumping PacketCache at $name" }
    $errorsOfLogon = @()
    $sessions = @(New-PSSession -ComputerName $hosts @logon -ErrorAction SilentlyContinue -ErrorVariable errorsOfLogon)
    $reached = @($sessions | ForEach-Object { $_.ComputerName })
    foreach ($name in $hosts) {
        if ($reached -contains $name) { continue }
        $why = $errorsOfLogon | Where-Object { Test-ErrorOfHost -Problem $_ -HostName $name } | Select-Object -First 1
        $code = Show-LogonFailure -HostName $name -Problem $why
    }

    if ($sessions.Count -gt 0) {
        foreach ($name in $reached) {
            $path = $single
            if (-not $path) { $path = Join-Path $directory (Get-DumpName -HostName $name -Format $Format) }
            $files[$name] = New-DumpFile -Path $path -Replace ([bool]$single)
            Write-Host "[*] Copying PCAP dump from $name"
        }
        $watch = [System.Diagnostics.Stopwatch]::StartNew()
        $bytes, $estimates = [long]0, @{}
        $errorsOfRead = @()
        Invoke-Command -Session $sessions -ThrottleLimit $ThrottleLimit -ScriptBlock ${function:Read-PacketCacheDump} `
            -ArgumentList (Get-DumpQuery $wanted) -ErrorAction SilentlyContinue -ErrorVariable errorsOfRead |
            ForEach-Object {
                $name = $_.PSComputerName
                $file = $files[$name]
                $before = $file.Bytes
                Write-DumpFile -File $file -Piece $_
                $bytes += $file.Bytes - $before
                if ($_.PSObject.Properties['Estimate']) { $estimates[$name] = $_.Estimate }
                if ($watch.ElapsedMilliseconds -ge 500) {
                    Show-DumpProgress -Bytes $bytes -Estimate ($estimates.Values | Measure-Object -Sum).Sum
                    $watch.Restart() # the bar is slow
                }
            }

        foreach ($name in $reached) {
            $file = $files[$name]
            # A file that cannot be put at its place is no reason to lose the others.
            try { Complete-DumpFile -File $file }
            catch { $file.Failure, $file.Message = 'Failed', "$($file.Path): $_" }
            if ($file.Failure) {
                $why = $errorsOfRead | Where-Object { Test-ErrorOfHost -Problem $_ -HostName $name } | Select-Object -First 1
                if ($file.Failure -eq 'Incomplete' -and $why) { $file.Message += " ($why)" }
                Write-Error (Get-FailureText -HostName $name -Failure $file.Failure -Message $file.Message) -ErrorAction Continue
                $code = Get-FailureCode -Failure $file.Failure
                continue
            }
            Write-Host "[*] Remote PacketCache data saved to $(Split-Path -Leaf $file.Path)"
            Write-DumpSummary -File $file -HostName $name -Bounded ($wanted.Count -gt 1)
            if ($PassThru) { Get-Item -LiteralPath $file.Path }
        }
    }
}
finally {
    # Also when Ctrl+C has been pressed: the sessions end, and with them what reads
    # the pipe on the remote hosts.
    foreach ($file in $files.Values) { Remove-DumpFile -File $file }
    if ($sessions.Count -gt 0) { Remove-PSSession -Session $sessions -ErrorAction SilentlyContinue }
    Write-Progress -Activity 'Reading PacketCache' -Completed
}
if ($code -ne 0) { exit $code }
