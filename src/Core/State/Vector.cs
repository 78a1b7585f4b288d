namespace FastXen.Core.State;

/// <summary>Interruption vectors: offsets from CR.IVA (manual volume 2, table 8-1).</summary>
public enum Vector : ushort
{
#pragma warning disable CS1591 // the names are the manual's
    VhptTranslation = 0x0000,
    InstructionTlb = 0x0400,
    DataTlb = 0x0800,
    AlternateInstructionTlb = 0x0c00,
    AlternateDataTlb = 0x1000,
    DataNestedTlb = 0x1400,
    InstructionKeyMiss = 0x1800,
    DataKeyMiss = 0x1c00,
    DirtyBit = 0x2000,
    InstructionAccessBit = 0x2400,
    DataAccessBit = 0x2800,
    BreakInstruction = 0x2c00,
    ExternalInterrupt = 0x3000,
    VirtualExternalInterrupt = 0x3400,
    PageNotPresent = 0x5000,
    KeyPermission = 0x5100,
    InstructionAccessRights = 0x5200,
    DataAccessRights = 0x5300,
    GeneralException = 0x5400,
    DisabledFpRegister = 0x5500,
    NatConsumption = 0x5600,
    Speculation = 0x5700,
    Debug = 0x5900,
    UnalignedReference = 0x5a00,
    UnsupportedDataReference = 0x5b00,
    FloatingPointFault = 0x5c00,
    FloatingPointTrap = 0x5d00,
    LowerPrivilegeTransferTrap = 0x5e00,
    TakenBranchTrap = 0x5f00,
    SingleStepTrap = 0x6000,
    Virtualization = 0x6100,
#pragma warning restore CS1591
}
