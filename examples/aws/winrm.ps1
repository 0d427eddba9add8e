<powershell>
# WinRM over TLS with a certificate of this machine's own, for as long as the bake lasts: sysprep takes both away.
$ErrorActionPreference = "Stop"
$certificate = New-SelfSignedCertificate -CertStoreLocation Cert:\LocalMachine\My -DnsName $env:COMPUTERNAME
Enable-PSRemoting -SkipNetworkProfileCheck -Force
Get-ChildItem WSMan:\Localhost\Listener | Where-Object Keys -Contains "Transport=HTTP" | Remove-Item -Recurse
New-Item -Path WSMan:\LocalHost\Listener -Transport HTTPS -Address * -CertificateThumbPrint $certificate.Thumbprint -Force
New-NetFirewallRule -DisplayName "WinRM over TLS" -Direction Inbound -LocalPort 5986 -Protocol TCP -Action Allow
</powershell>
