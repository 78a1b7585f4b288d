namespace FastXen.Core;

/// <summary>How often a translated region ran.</summary>
/// <param name="Ip">Address of the first bundle.</param>
/// <param name="Slot">First slot.</param>
/// <param name="Executions">Times that it was entered.</param>
/// <param name="ExecutedSlots">Instruction slots of the blocks that began in it.</param>
/// <param name="Slots">Its instruction slots.</param>
/// <param name="HostBytes">Bytes of its host code.</param>
/// <param name="Handlers">Instructions of it that were left to the interpreter's handlers, by opcode, most frequent first.</param>
/// <param name="Exits">Returns to the dispatcher for other reasons.</param>
/// <param name="Guest">Its bundles, disassembled as they are now.</param>
public sealed record RegionProfile(
    ulong Ip, int Slot, ulong Executions, ulong ExecutedSlots, int Slots, int HostBytes,
    IReadOnlyList<KeyValuePair<string, ulong>> Handlers, ulong Exits, IReadOnlyList<string> Guest);
