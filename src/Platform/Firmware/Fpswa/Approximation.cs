namespace FastXen.Platform.Firmware.Fpswa;

/// <summary>frcpa and frsqrta, the instructions that ask for software assistance (manual volume 3, formats F6 and F7).</summary>
internal readonly record struct Approximation(bool SquareRoot, int StatusField, int P2, int F1, int F2, int F3)
{
    /// <summary>Decodes the 41 bits of a slot; false for any other instruction.</summary>
    public static bool TryDecode(ulong slot, out Approximation instruction)
    {
        int Field(int position, int width) => (int)(slot >> position) & ((1 << width) - 1);
        bool squareRoot = Field(36, 1) != 0;
        instruction = new(squareRoot, Field(34, 2), Field(27, 6), Field(6, 7), squareRoot ? 0 : Field(13, 7), Field(20, 7));
        return Field(37, 4) is 0 && Field(33, 1) == 1 && instruction.F1 >= 2;
    }
}
