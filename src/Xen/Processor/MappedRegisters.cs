using System.Runtime.InteropServices;

namespace FastXen.Xen.Processor;

/// <summary>
/// The page of virtual registers that a paravirtualized kernel shares with the hypervisor (arch-ia64.h, <c>mapped_regs</c>). The guest may write any of
/// it at any time: what is read here is a value that it chose.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 0x1000)]
public unsafe struct MappedRegisters
{
#pragma warning disable CS1591 // the names are the public header's
    [FieldOffset(0x400)] public fixed ulong Bank1[16];
    [FieldOffset(0x480)] public fixed ulong Bank0[16];
    [FieldOffset(0x500)] public ulong Vnat;
    [FieldOffset(0x508)] public ulong Vbnat;
    [FieldOffset(0x800)] public ulong Dcr;
    [FieldOffset(0x840)] public ulong Pta;
    [FieldOffset(0x880)] public ulong Ipsr;
    [FieldOffset(0x888)] public ulong Isr;
    [FieldOffset(0x898)] public ulong Iip;
    [FieldOffset(0x8a0)] public ulong Ifa;
    [FieldOffset(0x8a8)] public ulong Itir;
    [FieldOffset(0x8b0)] public ulong Iipa;
    [FieldOffset(0x8b8)] public ulong Ifs;
    [FieldOffset(0x8c0)] public ulong Iim;
    [FieldOffset(0x8c8)] public ulong Iha;
    [FieldOffset(0xa10)] public ulong Tpr;
    [FieldOffset(0xa40)] public ulong Itv;
    [FieldOffset(0xa48)] public ulong Pmv;
    [FieldOffset(0xa50)] public ulong Cmcv;
    [FieldOffset(0xc00)] public ulong PrecoverIfs;
    [FieldOffset(0xc08)] public ulong Unat;
    [FieldOffset(0xc10)] public uint InterruptCollectionEnabled;
    [FieldOffset(0xc18)] public ulong InterruptMaskAddress;
    [FieldOffset(0xc20)] public uint PendingInterruption;
    [FieldOffset(0xc24)] public byte VpsrPp;
    [FieldOffset(0xc25)] public byte VpsrDfh;
    [FieldOffset(0xc26)] public byte HpsrDfh;
    [FieldOffset(0xc27)] public byte HpsrMfh;
    [FieldOffset(0xc48)] public uint MetaphysicalMode;
    [FieldOffset(0xc4c)] public uint BankNumber;
    [FieldOffset(0xc50)] public fixed ulong Rr[8];
    [FieldOffset(0xc90)] public fixed ulong Kr[8];
    [FieldOffset(0xd50)] public ulong ItcOffset;
    [FieldOffset(0xd58)] public ulong ItcLast;
#pragma warning restore CS1591
}
