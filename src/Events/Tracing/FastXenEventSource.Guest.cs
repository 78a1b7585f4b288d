using System.Diagnostics.Tracing;

namespace FastXen.Events;

// What guest code does, and what is done for it.
public sealed partial class FastXenEventSource
{
    /// <summary>
    /// <paramref name="count"/> returns from translated code since the last such event of the vCPU, for one reason; those for the handler of an
    /// instruction are told apart by its opcode.
    /// </summary>
    [Event(20, Keywords = Keywords.Exits, Level = EventLevel.Informational)]
    public void ExitCount(int domain, int vcpu, ulong count, string reason, string opcode) =>
        Write(20, 0b011, [(uint)domain, (uint)vcpu, count], reason, opcode);

    /// <summary>One return from translated code at <paramref name="ip"/> (slot in the low bits); fields as in <see cref="ExitCount"/>.</summary>
    [Event(21, Keywords = Keywords.Exits, Level = EventLevel.Verbose)]
    public void Exit(int domain, int vcpu, ulong ip, string reason, string opcode) => Write(21, 0b011, [(uint)domain, (uint)vcpu, ip], reason, opcode);

    /// <summary>An interruption was delivered that is no TLB miss: its vector (offset from CR.IVA), IIP, ISR and IFA.</summary>
    [Event(30, Keywords = Keywords.Interruptions, Level = EventLevel.Informational)]
    public void Interruption(int domain, int vcpu, int vector, ulong iip, ulong isr, ulong ifa) =>
        Write(30, 0b000111, [(uint)domain, (uint)vcpu, (uint)vector, iip, isr, ifa]);

    /// <summary>A hypercall is done: its number, arguments and result.</summary>
    [Event(40, Keywords = Keywords.Hypercalls, Level = EventLevel.Informational)]
    public void Hypercall(int domain, int vcpu, int number, ulong arg1, ulong arg2, ulong arg3, ulong arg4, ulong arg5, ulong result, ulong duration) =>
        Write(40, 0b111, [(uint)domain, (uint)vcpu, (uint)number, arg1, arg2, arg3, arg4, arg5, result, duration]);

    /// <summary>
    /// A firmware service is done. <paramref name="service"/>: number of its entry point (0 PAL, 1 SAL, 2 FPSWA, from 16 EFI's in the order of their
    /// table); <paramref name="index"/>: the procedure (r28 of PAL, else the first argument); <paramref name="status"/>: r8.
    /// </summary>
    [Event(41, Keywords = Keywords.Firmware, Level = EventLevel.Informational)]
    public void FirmwareCall(int domain, int vcpu, int service, ulong index, ulong status, ulong duration) =>
        Write(41, 0b000111, [(uint)domain, (uint)vcpu, (uint)service, index, status, duration]);

    /// <summary>A region of guest code was translated: virtual address (slot in the low bits), guest slots, bytes of host code.</summary>
    [Event(50, Keywords = Keywords.Translation, Level = EventLevel.Informational)]
    public void RegionTranslated(int domain, int vcpu, int slots, int bytes, ulong address, ulong duration) =>
        Write(50, 0b001111, [(uint)domain, (uint)vcpu, (uint)slots, (uint)bytes, address, duration]);

    /// <summary>Translations were forgotten: those of the physical page <paramref name="page"/>, or all where it is all ones.</summary>
    [Event(51, Keywords = Keywords.Translation, Level = EventLevel.Informational)]
    public void RegionsForgotten(int domain, int vcpu, ulong page) => Write(51, 0b011, [(uint)domain, (uint)vcpu, page]);

    /// <summary>A TLB miss was delivered to the guest: the vector (VHPT translation, instruction or data TLB, alternate, nested), IFA and IIP.</summary>
    [Event(60, Keywords = Keywords.Tlb, Level = EventLevel.Verbose)]
    public void TlbMiss(int domain, int vcpu, int vector, ulong ifa, ulong iip) =>
        Write(60, 0b00111, [(uint)domain, (uint)vcpu, (uint)vector, ifa, iip]);

    /// <summary>2^<paramref name="shift"/> bytes of an address space (<paramref name="rid"/>) were purged from the translation caches of a vCPU.</summary>
    [Event(61, Keywords = Keywords.Tlb, Level = EventLevel.Informational)]
    public void TlbPurge(int domain, int vcpu, int shift, int rid, ulong address) =>
        Write(61, 0b01111, [(uint)domain, (uint)vcpu, (uint)shift, (uint)rid, address]);

    /// <summary>A device register was read or (<paramref name="write"/> 1) written. <paramref name="address"/>: physical, <paramref name="size"/>: bytes.</summary>
    [Event(70, Keywords = Keywords.Devices, Level = EventLevel.Informational)]
    public void DeviceAccess(int domain, int vcpu, int write, int size, ulong address, ulong value, ulong duration, string device) =>
        Write(70, 0b0001111, [(uint)domain, (uint)vcpu, (uint)write, (uint)size, address, value, duration], device);

    /// <summary>An external interrupt was requested of a vCPU.</summary>
    [Event(80, Keywords = Keywords.Interrupts, Level = EventLevel.Informational)]
    public void InterruptInjected(int domain, int vcpu, int vector) => Write(80, 0b111, [(uint)domain, (uint)vcpu, (uint)vector]);
}
