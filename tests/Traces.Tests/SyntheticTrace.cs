using System.Diagnostics.Tracing;
using FastXen.Events;
using FastXen.Traces.Session;

namespace FastXen.Traces.Tests;

/// <summary>A recorded trace with known contents: two domains, three vCPUs; written once for all tests.</summary>
public sealed class SyntheticTrace : IDisposable
{
    public const int Rounds = 500;

    public string File { get; } = Path.GetTempFileName();

    public SyntheticTrace()
    {
        FastXenEventSource log = FastXenEventSource.Log;
        using TraceRecorder recorder = new(File, EventKeywords.All, EventLevel.Verbose);
        log.DomainCreated(1, 2, 1UL << 30, "linux </script>", "platform");
        log.DomainStarted(1);
        log.DomainCreated(2, 1, 1UL << 28, "worker", "xen");
        log.DomainStarted(2);
        (int Domain, int Vcpu)[] vcpus = [(1, 0), (1, 1), (2, 0)];
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < vcpus.Length; i++)
            {
                (int domain, int vcpu) = vcpus[i];
                log.Wake(domain, vcpu, i % 2, 1);
                log.SwitchIn(domain, vcpu, 10 + i % 2);
                if (domain == 2)
                {
                    log.Hypercall(domain, vcpu, 29, 1, 2, 3, 4, 5, 0, (ulong)(1000 + round));
                    if (round % 5 == 0) log.Hypercall(domain, vcpu, 18, 0, 2, 3, 4, 5, ulong.MaxValue, 50_000);
                }
                else
                {
                    log.DeviceAccess(domain, vcpu, 1, 4, 0xfee0_0000, 7, 300, "uart");
                    log.FirmwareCall(domain, vcpu, 0, 29, 0, 700);
                }

                log.Interruption(domain, vcpu, 0x3000, 0xe000_0000_0000_0000, 1, 2);
                log.InterruptInjected(domain, vcpu, 0xef);
                log.TlbMiss(domain, vcpu, 0x0800, 3, 4);
                log.TlbPurge(domain, vcpu, 14, 7, 8);
                log.RegionTranslated(domain, vcpu, 20, 1000, 16, 40_000);
                log.ExitCount(domain, vcpu, 100, "Handler", "Ld8");
                log.ExitCount(domain, vcpu, 11, "Look", "");
                log.Exit(domain, vcpu, 5, "Look", "");
                log.SwitchOut(domain, vcpu, 10 + i % 2, 12345, "Blocked");
            }
        }

        log.SwitchIn(1, 0, 10);
        log.DomainStopped(1, "PowerOff");
        log.DomainDestroyed(1);
        log.DomainStopped(2, "Crashed");
    }

    public void Dispose() => System.IO.File.Delete(File);
}
