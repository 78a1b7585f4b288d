namespace FastXen.Core.Interpret;

/// <summary>Reads and writes of application registers with their side effects.</summary>
public static unsafe partial class ApplicationRegisters { }

/// <summary>Reads and writes of control registers with their side effects.</summary>
public static unsafe partial class ControlRegisters { }
